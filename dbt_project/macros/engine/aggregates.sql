{#- The smallest values of an expression in a group, in order, as an array. -#}
{% macro smallest_values(expression, count, condition) -%}
    {{ return(adapter.dispatch('smallest_values', 'regulars')(expression, count, condition)) }}
{%- endmacro %}

{% macro duckdb__smallest_values(expression, count, condition) -%}
    min({{ expression }}, {{ count }}) filter (where {{ condition }})
{%- endmacro %}

{% macro spark__smallest_values(expression, count, condition) -%}
    slice(sort_array(collect_list({{ expression }}) filter (where {{ condition }})), 1, {{ count }})
{%- endmacro %}
