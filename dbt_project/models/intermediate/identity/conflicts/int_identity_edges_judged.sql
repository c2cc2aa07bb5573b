{#- Edges with their verdict: used, or refused with the reason. -#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='hub_key') }}
{{- refuse_half_a_refresh() }}

select
    edges.key_a,
    edges.key_b,
    edges.hub_key,
    case when edges.evidence_rank = 0 then 6 else edges.evidence_rank end as evidence_rank,
    edges.observed_micros,
    edges.source_system,
    edges.rule,
    edges.source_record_id,
    coalesce(edges.refusal_reason, cuts.reason) as refusal_reason
from {{ ref('int_identity_edges_checked') }} as edges
left join {{ ref('int_identity_cut_edges') }} as cuts on edges.key_a = cuts.key_a and edges.key_b = cuts.key_b
