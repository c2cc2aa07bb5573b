{#- Links with their verdict: used, or refused with the reason. -#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='hub_key') }}
{{- refuse_half_a_refresh() }}

select
    links.key_a,
    links.key_b,
    links.hub_key,
    case when links.evidence_rank = 0 then 6 else links.evidence_rank end as evidence_rank,
    links.observed_micros,
    links.source_system,
    links.rule,
    links.source_record_id,
    coalesce(links.refusal_reason, cuts.reason) as refusal_reason
from {{ ref('int_identity_edges_checked') }} as links
left join {{ ref('int_identity_cut_edges') }} as cuts on links.key_a = cuts.key_a and links.key_b = cuts.key_b
