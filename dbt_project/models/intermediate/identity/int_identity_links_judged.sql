{#- Links with their verdict: used, or refused with the reason. -#}
with links as (
    select *
    from {{ ref('int_identity_links') }}
),

must_links as (
    select *
    from {{ ref('int_identity_rule_links') }}
    where rule = 'must_link'
),

cannot_links as (
    select *
    from {{ ref('int_identity_rule_links') }}
    where rule = 'cannot_link'
)

select
    links.key_a,
    links.key_b,
    links.evidence_rank,
    links.observed_micros,
    links.source_system,
    links.rule,
    links.source_record_id,
    case when cannot_links.key_a is not null then 'cannot_link' else links.refusal_reason end as refusal_reason
from links
left join cannot_links on links.key_a = cannot_links.key_a and links.key_b = cannot_links.key_b
left join must_links on links.key_a = must_links.key_a and links.key_b = must_links.key_b
where must_links.key_a is null
union all
select
    must_links.key_a,
    must_links.key_b,
    6 as evidence_rank,
    {{ epoch_micros(as_of()) }} as observed_micros,
    'identity_rules' as source_system,
    'must_link' as rule,
    coalesce(must_links.reason, 'must_link') as source_record_id,
    case when cannot_links.key_a is not null then 'cannot_link' else must_links.block_reason end as refusal_reason
from must_links
left join cannot_links on must_links.key_a = cannot_links.key_a and must_links.key_b = cannot_links.key_b
