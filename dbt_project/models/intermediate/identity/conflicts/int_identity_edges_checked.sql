{#- Edges after the rules and the shared values: what is left connects people, unless a chain of edges
    ends in somebody else (int_identity_cut_edges). -#}
with edges as (
    select *
    from {{ ref('int_identity_edges_in_scope') }}
),

shared as (
    select
        shared.identifier_key,
        {{ share_refusal('identifiers.identifier_type', 'shared.share_reason') }} as refusal_reason
    from {{ ref('int_shared_identifiers') }} as shared
    inner join {{ ref('int_identifiers') }} as identifiers on shared.identifier_key = identifiers.identifier_key
),

must_links as (
    select *
    from {{ ref('int_identity_rule_edges') }}
    where rule = 'must_link' and {{ in_scope('key_a') }}
),

cannot_links as (
    select *
    from {{ ref('int_identity_rule_edges') }}
    where rule = 'cannot_link'
)

select
    edges.key_a,
    edges.key_b,
    edges.hub_key,
    edges.is_bridge_a,
    edges.is_bridge_b,
    edges.evidence_rank,
    edges.observed_micros,
    edges.source_system,
    edges.rule,
    edges.source_record_id,
    case
        when cannot_links.key_a is not null then 'cannot_link'
        -- Not the first of the two: which one is first may differ between two warehouses
        else coalesce(
            least(shared_a.refusal_reason, shared_b.refusal_reason),
            edges.refusal_reason,
            stray_edges.refusal_reason,
            unproved_edges.refusal_reason
        )
    end as refusal_reason
from edges
left join cannot_links on edges.key_a = cannot_links.key_a and edges.key_b = cannot_links.key_b
left join must_links on edges.key_a = must_links.key_a and edges.key_b = must_links.key_b
left join shared as shared_a on edges.key_a = shared_a.identifier_key
left join shared as shared_b on edges.key_b = shared_b.identifier_key
left join {{ ref('int_identity_stray_edges') }} as stray_edges
    on edges.key_a = stray_edges.key_a and edges.key_b = stray_edges.key_b
left join {{ ref('int_identity_unproved_edges') }} as unproved_edges
    on edges.key_a = unproved_edges.key_a and edges.key_b = unproved_edges.key_b
where must_links.key_a is null
union all
select
    must_links.key_a,
    must_links.key_b,
    must_links.key_a as hub_key,
    false as is_bridge_a,
    false as is_bridge_b,
    0 as evidence_rank,
    {{ epoch_micros(as_of()) }} as observed_micros,
    'identity_rules' as source_system,
    'must_link' as rule,
    coalesce(must_links.reason, 'must_link') as source_record_id,
    case when cannot_links.key_a is not null then 'cannot_link' else must_links.block_reason end as refusal_reason
from must_links
left join cannot_links on must_links.key_a = cannot_links.key_a and must_links.key_b = cannot_links.key_b
