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

{#- The sum of such hashes in a group: equal sets of rows have equal sums, in any order. It needs more than
    64 bits. -#}
{% macro hash_total(expression) -%}
    {{ return(adapter.dispatch('hash_total', 'regulars')(expression)) }}
{%- endmacro %}

{% macro duckdb__hash_total(expression) -%}
    sum({{ expression }})
{%- endmacro %}

{#- Spark's sum of bigint is a bigint, which wraps round or stops. -#}
{% macro spark__hash_total(expression) -%}
    sum(cast({{ expression }} as decimal(38, 0)))
{%- endmacro %}

{#- A number from up to 15 hexadecimal digits. -#}
{% macro number_from_hex(digits) -%}
    {{ return(adapter.dispatch('number_from_hex', 'regulars')(digits)) }}
{%- endmacro %}

{% macro duckdb__number_from_hex(digits) -%}
    cast('0x' || {{ digits }} as bigint)
{%- endmacro %}

{% macro spark__number_from_hex(digits) -%}
    cast(conv({{ digits }}, 16, 10) as bigint)
{%- endmacro %}
