{#- A 64-bit hash of one or several expressions (`a, b`) for grouping and sorting inside one statement.
    Never stored: it may differ between versions of the engine. -#}
{% macro hash_number(expressions) -%}
    {{ return(adapter.dispatch('hash_number', 'regulars')(expressions)) }}
{%- endmacro %}

{% macro duckdb__hash_number(expressions) -%}
    hash({{ expressions }})
{%- endmacro %}

{% macro spark__hash_number(expressions) -%}
    xxhash64({{ expressions }})
{%- endmacro %}
