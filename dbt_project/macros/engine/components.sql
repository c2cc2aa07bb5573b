{#-
    Connected components: `edges` has columns key_a and key_b, integers from 0; the result has node and
    component, which is the smallest node of it.
-#}
{% macro connected_components(edges) -%}
    {{ return(adapter.dispatch('connected_components', 'regulars')(edges)) }}
{%- endmacro %}

{#- All pairs at once to ingestion/functions/components.py: an array of integers is where this problem is small. -#}
{% macro duckdb__connected_components(edges) -%}
    with pairs as (
        select
            list(key_a) as ones,
            list(key_b) as others
        from {{ edges }}
    ),

    solved as (
        select unnest(components_of(ones, others)) as found
        from pairs
        where ones is not null
    )

    select
        found.node,
        found.component
    from solved
{%- endmacro %}

{#-
    Elsewhere in SQL. First the graph is shrunk twice: each node takes the smallest label among itself and its neighbours,
    and edges are drawn between labels instead. Most people are whole by then. (Contraction as in
    Kiveris et al., "Connected components in MapReduce and beyond", 2014.) What is left is solved by
    the closure of reachability, which ends by itself: a union of distinct rows cannot grow for ever.

    Shrinking keeps what is connected connected: the edge from a node to its label becomes one between
    their labels, or both have one label.

    Labels are compared in a way that no two tables can be joined by: by "unlike" alone an engine may join
    the two before it joins the edges, which is every pair of nodes.
-#}
{% macro default__connected_components(edges) -%}
    with recursive edges_0 as (
        select
            key_a,
            key_b
        from {{ edges }}
    ),

    {%- for step in [1, 2] %}

    labels_{{ step }} as (
        select
            node,
            least(node, min(neighbour)) as label
        from (
            select
                key_a as node,
                key_b as neighbour
            from edges_{{ step - 1 }}
            union all
            select
                key_b as node,
                key_a as neighbour
            from edges_{{ step - 1 }}
        ) as both_ways_{{ step }}
        group by node
    ),

    edges_{{ step }} as (
        select distinct
            least(labels_a.label, labels_b.label) as key_a,
            greatest(labels_a.label, labels_b.label) as key_b
        from edges_{{ step - 1 }}
        inner join labels_{{ step }} as labels_a on edges_{{ step - 1 }}.key_a = labels_a.node
        inner join labels_{{ step }} as labels_b on edges_{{ step - 1 }}.key_b = labels_b.node
        where least(labels_a.label, labels_b.label) < greatest(labels_a.label, labels_b.label)
    ),
    {%- endfor %}

    both_ways as (
        select
            key_a as source_node,
            key_b as target_node
        from edges_2
        union all
        select
            key_b as source_node,
            key_a as target_node
        from edges_2
    ),

    reached (node, component) as (
        select distinct
            source_node as node,
            source_node as component
        from both_ways
        union
        select
            both_ways.target_node as node,
            reached.component
        from reached
        inner join both_ways on reached.node = both_ways.source_node
        where reached.component < both_ways.target_node
    ),

    solved as (
        select
            node,
            min(component) as component
        from reached
        group by node
    )

    select
        labels_1.node,
        coalesce(solved.component, labels_2.label, labels_1.label) as component
    from labels_1
    left join labels_2 on labels_1.label = labels_2.node
    left join solved on coalesce(labels_2.label, labels_1.label) = solved.node
{%- endmacro %}
