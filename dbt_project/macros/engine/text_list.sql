{#- The texts of a group in one, in their own order: "a, b, c". -#}
{% macro text_list(expression) -%}
    {{ return(adapter.dispatch('text_list', 'regulars')(expression)) }}
{%- endmacro %}

{% macro duckdb__text_list(expression) -%}
    string_agg({{ expression }}, ', ' order by {{ expression }})
{%- endmacro %}

{% macro spark__text_list(expression) -%}
    listagg({{ expression }}, ', ') within group (order by {{ expression }})
{%- endmacro %}
