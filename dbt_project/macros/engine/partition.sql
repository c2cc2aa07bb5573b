{#- Some columns of a group's rows as one value, in the given order: a list of lists of integers. -#}
{% macro number_lists(columns, in_order) -%}
    {{ return(adapter.dispatch('number_lists', 'regulars')(columns, in_order)) }}
{%- endmacro %}

{% macro duckdb__number_lists(columns, in_order) -%}
    list([{{ columns | join(', ') }}] order by {{ in_order }})
{%- endmacro %}

{% macro spark__number_lists(columns, in_order) -%}
    transform(
        sort_array(collect_list(struct({{ in_order }}, array({{ columns | join(', ') }}) as numbers))), x -> x.numbers
    )
{%- endmacro %}

{#-
    One row per edge that has to be refused so that no two that must stay apart end in one component and no
    component has more than its limits allow: its place (from 1) and 1 for the former, 2 for the latter. Edges
    are taken in their order: ingestion/functions/partition.py as a function of the engine. `limits` is a list
    of [most, days or 0].
-#}
{% macro refused_places(edges, apart, counted, limits) -%}
    {{ return(adapter.dispatch('refused_places', 'regulars')(edges, apart, counted, limits)) }}
{%- endmacro %}

{% macro duckdb__refused_places(edges, apart, counted, limits) -%}
    unnest(refused_edges(
        {{ edges }}, coalesce({{ apart }}, []), coalesce({{ counted }}, []), cast({{ limits }} as bigint[][])
    ))
{%- endmacro %}

{% macro spark__refused_places(edges, apart, counted, limits) -%}
    explode(refused_edges(
        {{ edges }}, coalesce({{ apart }}, array()), coalesce({{ counted }}, array()),
        from_json('{{ limits }}', 'array<array<bigint>>')
    ))
{%- endmacro %}
