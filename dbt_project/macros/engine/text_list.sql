{#- The different texts of a group in one, in their own order: "a, b, c". -#}
{% macro text_list(expression, separator=', ') -%}
    {{ return(adapter.dispatch('text_list', 'regulars')(expression, separator)) }}
{%- endmacro %}

{% macro duckdb__text_list(expression, separator) -%}
    string_agg(distinct {{ expression }}, '{{ separator }}' order by {{ expression }})
{%- endmacro %}

{% macro spark__text_list(expression, separator) -%}
    listagg(distinct {{ expression }}, '{{ separator }}') within group (order by {{ expression }})
{%- endmacro %}

{#- One row per word of two letters or more in a text. -#}
{% macro letter_words(text) -%}
    {{ return(adapter.dispatch('letter_words', 'regulars')(text)) }}
{%- endmacro %}

{% macro duckdb__letter_words(text) -%}
    unnest(regexp_extract_all({{ text }}, '[a-z]{2,}'))
{%- endmacro %}

{% macro spark__letter_words(text) -%}
    explode(regexp_extract_all({{ text }}, '[a-z]{2,}', 0))
{%- endmacro %}

{#- One row per part of a text between separators. The separator is a plain text. -#}
{% macro text_parts(text, separator) -%}
    {{ return(adapter.dispatch('text_parts', 'regulars')(text, separator)) }}
{%- endmacro %}

{% macro duckdb__text_parts(text, separator) -%}
    unnest(string_split({{ text }}, '{{ separator }}'))
{%- endmacro %}

{% macro spark__text_parts(text, separator) -%}
    explode(split({{ text }}, '[{{ separator }}]'))
{%- endmacro %}

{#- The texts of a group in one, in a given order, repeats and all: "a > b > a". `in_order` is total within the group. -#}
{% macro text_path(expression, in_order, separator=' > ') -%}
    {{ return(adapter.dispatch('text_path', 'regulars')(expression, in_order, separator)) }}
{%- endmacro %}

{% macro duckdb__text_path(expression, in_order, separator) -%}
    string_agg({{ expression }}, '{{ separator }}' order by {{ in_order }})
{%- endmacro %}

{% macro spark__text_path(expression, in_order, separator) -%}
    listagg({{ expression }}, '{{ separator }}') within group (order by {{ in_order }})
{%- endmacro %}
