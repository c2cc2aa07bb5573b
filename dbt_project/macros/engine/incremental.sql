{#- Whether a run finds the tables of the run before. -#}
{% macro keeps_tables() -%}
    {{ return(adapter.dispatch('keeps_tables', 'regulars')()) }}
{%- endmacro %}

{% macro duckdb__keeps_tables() -%}
    {{ return(true) }}
{%- endmacro %}

{#- On Spark every run builds everything anew: Parquet has no delete. So an incremental model is a table. -#}
{% macro spark__keeps_tables() -%}
    {{ return(false) }}
{%- endmacro %}
