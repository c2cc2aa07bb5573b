{#-
    Connected components: `edges`, a relation or the name of a CTE before it, has columns key_a and key_b,
    integers from 0; the result has node and component, which is the smallest node of it.
-#}
{% macro connected_components(edges) -%}
    {{ return(adapter.dispatch('connected_components', 'regulars')(edges)) }}
{%- endmacro %}

{#- All edges at once to ingestion/functions/components.py: an array of integers is where this problem is small. -#}
{% macro duckdb__connected_components(edges) -%}
    with pairs as (
        select
            list(key_a) as ones,
            list(key_b) as others
        from {{ edges }}
    ),

    solved as (
        select unnest(components_of(ones, others)) as placed
        from pairs
        where ones is not null
    )

    select
        placed.node,
        placed.component
    from solved
{%- endmacro %}

{#- The same function, which a session on Spark has to register: Spark's recursion has no union of distinct
    rows, and rounds written out grow the plan fivefold each. One task holds all edges, two numbers each. -#}
{% macro spark__connected_components(edges) -%}
    with pairs as (
        select collect_list(struct(key_a, key_b)) as listed
        from {{ edges }}
    ),

    solved as (
        select explode(components_of(
            transform(listed, pair -> pair.key_a), transform(listed, pair -> pair.key_b)
        )) as placed
        from pairs
        where array_size(listed) > 0
    )

    select
        placed.node,
        placed.component
    from solved
{%- endmacro %}
