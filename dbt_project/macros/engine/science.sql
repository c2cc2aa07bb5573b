{#-
    A table that the science wrote (orchestration/science), with these columns and types; empty where it
    wrote none, so that models build without it. `columns` are pairs of a name and a portable type.
-#}
{% macro science(table, columns) -%}
    {%- set relation = source('science', table) -%}
    {%- if has_science(table) -%}
    select
        {%- for name, type in columns %}
        cast({{ name }} as {{ type }}) as {{ name }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ relation }}
    {%- else -%}
    select
        {%- for name, type in columns %}
        cast(null as {{ type }}) as {{ name }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    where 1 = 0
    {%- endif -%}
{%- endmacro %}

{% macro has_science(table) -%}
    {{ return(adapter.dispatch('has_science', 'regulars')(table)) }}
{%- endmacro %}

{% macro duckdb__has_science(table) -%}
    {%- if not engine_answers() -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set file = env_var('REGULARS_HOME') ~ '/science/' ~ table ~ '.parquet' -%}
    {%- set files = run_query("select count(*) from glob('" ~ file | replace("'", "''") ~ "')") -%}
    {{ return(files.rows[0][0] > 0) }}
{%- endmacro %}

{#- On Spark each file is a table of the schema `science`. -#}
{% macro spark__has_science(table) -%}
    {{ return(not engine_answers() or load_relation(source('science', table)) is not none) }}
{%- endmacro %}
