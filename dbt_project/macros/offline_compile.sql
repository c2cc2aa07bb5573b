{#-
    The project can be compiled where no engine answers, to judge its SQL: under the var `offline_compile`,
    which says whose SQL is wanted, that of a `first` run or of a `later` one, which finds the tables of
    the run before. What is asked of an engine while models compile is asked only if `engine_answers()`.
-#}
{% macro engine_answers() -%}
    {{ return(execute and not var('offline_compile', '')) }}
{%- endmacro %}

{#- Whether a later run's SQL is wanted without an engine. -#}
{% macro is_later_offline() -%}
    {{ return(var('offline_compile', '') == 'later') }}
{%- endmacro %}

{#- dbt's own, which asks the engine whether the model's table is there. -#}
{% macro is_incremental() -%}
    {%- if var('offline_compile', '') -%}
        {{ return(is_later_offline() and model.config.materialized == 'incremental') }}
    {%- endif -%}
    {{ return(keeps_tables() and dbt.is_incremental()) }}
{%- endmacro %}
