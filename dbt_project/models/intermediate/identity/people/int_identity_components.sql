{#- Which identifiers are one person. Only what a cut touched has to be solved again. -#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='node') }}
{{- refuse_half_a_refresh() }}

with used_edges as (
    select
        edges.key_a,
        edges.key_b
    from {{ ref('int_identity_edges_judged') }} as edges
    inner join {{ ref('int_identity_components_before_cuts') }} as before_cuts on edges.key_a = before_cuts.node
    where
        edges.refusal_reason is null
        and {{ in_scope('edges.hub_key') }}
        and before_cuts.component in (select component from {{ ref('int_identity_conflicts') }})
),

after_cuts as (
    {{ connected_components('used_edges') | indent(4) }}
)

select
    node,
    component
from {{ ref('int_identity_components_before_cuts') }}
where component not in (select component from {{ ref('int_identity_conflicts') }})
union all
select
    node,
    component
from after_cuts
