{{ config(materialized='ephemeral') }}

{#- Only what a cut touched has to be solved again. -#}
select
    links.key_a,
    links.key_b
from {{ ref('int_identity_edges_judged') }} as links
inner join {{ ref('int_identity_components_before_cuts') }} as drafts on links.key_a = drafts.node
where
    links.refusal_reason is null
    and {{ in_scope('links.hub_key') }}
    and drafts.component in (select component from {{ ref('int_identity_conflicts') }})
