{#- Links after the rules and the shared values: what is left ties people together, unless a chain of
    links ends in somebody else (int_identity_cut_edges). -#}
with links as (
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
    links.key_a,
    links.key_b,
    links.hub_key,
    links.is_bridge_a,
    links.is_bridge_b,
    links.evidence_rank,
    links.observed_micros,
    links.source_system,
    links.rule,
    links.source_record_id,
    case
        when cannot_links.key_a is not null then 'cannot_link'
        -- Not the first of the pair: which one is first may differ between two warehouses
        else coalesce(
            least(shared_a.refusal_reason, shared_b.refusal_reason),
            links.refusal_reason,
            stray_ties.refusal_reason,
            unproved_ties.refusal_reason
        )
    end as refusal_reason
from links
left join cannot_links on links.key_a = cannot_links.key_a and links.key_b = cannot_links.key_b
left join must_links on links.key_a = must_links.key_a and links.key_b = must_links.key_b
left join shared as shared_a on links.key_a = shared_a.identifier_key
left join shared as shared_b on links.key_b = shared_b.identifier_key
left join {{ ref('int_identity_stray_edges') }} as stray_ties
    on links.key_a = stray_ties.key_a and links.key_b = stray_ties.key_b
left join {{ ref('int_identity_unproved_edges') }} as unproved_ties
    on links.key_a = unproved_ties.key_a and links.key_b = unproved_ties.key_b
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
