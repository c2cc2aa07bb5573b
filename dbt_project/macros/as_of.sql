{#-
    The run's "now" as a timestamp literal. It comes from the run context that is exported before
    every run and not from a var, because a changed var makes dbt parse the whole project again.
-#}
{% macro as_of() -%}
    {%- if engine_answers() -%}
        {%- set found = run_query("select cast(as_of as " ~ dbt.type_string() ~ ") from " ~ source('ops', 'run_context')) -%}
        {%- if found.rows | length != 1 -%}
            {{ exceptions.raise_compiler_error("run_context must hold exactly one row") }}
        {%- endif -%}
        timestamp '{{ found.rows[0][0] }}'
    {%- else -%}
        timestamp '2000-01-01 00:00:00'
    {%- endif -%}
{%- endmacro %}

{% macro run_id() -%}
    {%- if engine_answers() -%}
        {%- set found = run_query("select run_id from " ~ source('ops', 'run_context')) -%}
        '{{ found.rows[0][0] }}'
    {%- else -%}
        ''
    {%- endif -%}
{%- endmacro %}
