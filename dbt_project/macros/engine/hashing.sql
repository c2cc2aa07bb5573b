{#- A 64-bit hash for grouping and sorting inside one statement. Never stored: it may differ
    between versions of the engine. -#}
{% macro hash_number(expression) -%}
    {{ return(adapter.dispatch('hash_number', 'regulars')(expression)) }}
{%- endmacro %}

{% macro duckdb__hash_number(expression) -%}
    hash({{ expression }})
{%- endmacro %}

{% macro spark__hash_number(expression) -%}
    xxhash64({{ expression }})
{%- endmacro %}
