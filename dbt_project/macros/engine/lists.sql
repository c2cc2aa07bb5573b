{#-
    What is worked out from a list inside one row, whatever its length. `item` names an element in the
    expression, so that a list inside a list can be read as well.
-#}

{#- The sum of an amount of each element; elements without one are left out, and no amount at all is NULL. -#}
{% macro list_money(list, amount, item='item') -%}
    {{ return(adapter.dispatch('list_money', 'regulars')(list, amount, item)) }}
{%- endmacro %}

{% macro duckdb__list_money(list, amount, item) -%}
    list_sum(list_transform({{ list }}, lambda {{ item }}: {{ amount }}))
{%- endmacro %}

{% macro spark__list_money(list, amount, item) -%}
    aggregate(
        transform({{ list }}, {{ item }} -> {{ amount }}),
        cast(null as decimal(38, 4)),
        (total, amount) -> cast(case when total is null then amount else total + coalesce(amount, 0) end as decimal(38, 4))
    )
{%- endmacro %}

{#- Whether a condition holds of some element; false for an empty list, NULL for none. -#}
{% macro list_has(list, condition, item='item') -%}
    {{ return(adapter.dispatch('list_has', 'regulars')(list, condition, item)) }}
{%- endmacro %}

{% macro duckdb__list_has(list, condition, item) -%}
    len(list_filter({{ list }}, lambda {{ item }}: {{ condition }})) > 0
{%- endmacro %}

{#- `size` of NULL would be -1 where Spark is not in its ANSI mode, and dbt's sessions are not. -#}
{% macro spark__list_has(list, condition, item) -%}
    array_size(filter({{ list }}, {{ item }} -> {{ condition }})) > 0
{%- endmacro %}

{#- A text of each element, in their order, with commas between; NULL if there is none. -#}
{% macro list_words(list, text, item='item') -%}
    {{ return(adapter.dispatch('list_words', 'regulars')(list, text, item)) }}
{%- endmacro %}

{% macro duckdb__list_words(list, text, item) -%}
    nullif(array_to_string(list_transform({{ list }}, lambda {{ item }}: {{ text }}), ', '), '')
{%- endmacro %}

{% macro spark__list_words(list, text, item) -%}
    nullif(array_join(transform({{ list }}, {{ item }} -> {{ text }}), ', '), '')
{%- endmacro %}

{#- The texts of a JSON list of texts or numbers, in their order, as a list; empty or NULL for none. -#}
{% macro json_list(column) -%}
    {{ return(adapter.dispatch('json_list', 'regulars')(column)) }}
{%- endmacro %}

{% macro duckdb__json_list(column) -%}
    json_extract_string({{ column }}, '$[*]')
{%- endmacro %}

{% macro spark__json_list(column) -%}
    from_json({{ column }}, 'array<string>')
{%- endmacro %}

{#- The same in one text, with commas between; NULL if there is none. -#}
{% macro json_list_words(column) -%}
    {{ return(adapter.dispatch('json_list_words', 'regulars')(column)) }}
{%- endmacro %}

{% macro duckdb__json_list_words(column) -%}
    nullif(array_to_string({{ json_list(column) }}, ', '), '')
{%- endmacro %}

{% macro spark__json_list_words(column) -%}
    nullif(array_join({{ json_list(column) }}, ', '), '')
{%- endmacro %}
