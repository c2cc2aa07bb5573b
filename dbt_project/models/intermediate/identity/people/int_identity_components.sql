{#- Which identifiers are one person. -#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='node') }}
{{- refuse_half_a_refresh() }}

with settled as (
    {{ connected_components(ref('int_identity_edges_used')) | indent(4) }}
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
from settled
