{#-
    Connected components: `edges` has integer columns key_a and key_b, the result has node and
    component, the component being the smallest integer in it.

    DuckDB: each node takes the smallest label among its neighbours until nothing changes. `using key`
    keeps one row per node and works only on nodes that changed in the last step, so people who are
    already whole cost nothing. It stops by itself, after as many steps as the longest chain has links.
    Elsewhere: the closure of reachability; a union of distinct rows cannot grow for ever either.
-#}
{% macro connected_components(edges) -%}
    {{ return(adapter.dispatch('connected_components', 'regulars')(edges)) }}
{%- endmacro %}

{% macro duckdb__connected_components(edges) -%}
    with recursive both_ways as (
        select key_a as source_node, key_b as target_node from {{ edges }}
        union all
        select key_b, key_a from {{ edges }}
    ),

    labels (node, component) using key (node) as (
        select source_node as node, least(source_node, min(target_node)) as component
        from both_ways
        group by source_node
        union
        select both_ways.target_node as node, min(labels.component) as component
        from labels
        inner join both_ways on labels.node = both_ways.source_node
        inner join recurring.labels as present on both_ways.target_node = present.node
        where labels.component < present.component
        group by both_ways.target_node
    )

    select node, component from labels
{%- endmacro %}

{% macro default__connected_components(edges) -%}
    with recursive both_ways as (
        select key_a as source_node, key_b as target_node from {{ edges }}
        union all
        select key_b, key_a from {{ edges }}
    ),

    reached (node, component) as (
        select distinct source_node as node, source_node as component from both_ways
        union
        select both_ways.target_node as node, reached.component
        from reached
        inner join both_ways on reached.node = both_ways.source_node
        where reached.component < both_ways.target_node
    )

    select node, min(component) as component from reached group by node
{%- endmacro %}
