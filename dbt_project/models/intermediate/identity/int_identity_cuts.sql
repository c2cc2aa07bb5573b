{#-
    The links that are given up so that no conflict stays inside one person: the links of each component in
    conflict are taken in turn (rules, then accounts and addresses, then cards, phones and devices, each
    best evidence first), and one that would bring two sides of a conflict together is
    refused. Few components are in conflict, so only they are looked at one link at a time.
-#}
with conflicts as (
    select *
    from {{ ref('int_identity_conflicts') }}
),

reasons as (
    select
        component,
        min(reason) as reason
    from conflicts
    group by component
),

links as (
    select
        drafts.component,
        links.key_a,
        links.key_b,
        row_number() over (
            partition by drafts.component
            order by
                case
                    when links.evidence_rank = 0 then 0
                    when links.is_bridge_a or links.is_bridge_b then 2
                    else 1
                end,
                links.evidence_rank,
                links.observed_micros,
                links.source_system,
                links.rule,
                links.source_record_id,
                -- Not key_a before key_b: which one is smaller may differ between two warehouses
                least(
                    concat(identifiers_a.identifier_type, '|', identifiers_a.identifier_value),
                    concat(identifiers_b.identifier_type, '|', identifiers_b.identifier_value)
                ),
                greatest(
                    concat(identifiers_a.identifier_type, '|', identifiers_a.identifier_value),
                    concat(identifiers_b.identifier_type, '|', identifiers_b.identifier_value)
                )
        ) as strength
    from {{ ref('int_identity_links_checked') }} as links
    inner join {{ ref('int_identity_drafts') }} as drafts on links.key_a = drafts.node
    inner join {{ ref('int_identifiers') }} as identifiers_a on links.key_a = identifiers_a.identifier_key
    inner join {{ ref('int_identifiers') }} as identifiers_b on links.key_b = identifiers_b.identifier_key
    where links.refusal_reason is null and drafts.component in (select component from reasons)
),

apart as (
    select
        component,
        {{ pair_list('key_a', 'key_b', 'key_a, key_b') }} as pairs
    from conflicts
    group by component
),

tied as (
    select
        component,
        {{ pair_list('key_a', 'key_b', 'strength') }} as pairs
    from links
    group by component
),

cut as (
    select
        tied.component,
        {{ refused_places('tied.pairs', 'apart.pairs') }} as strength
    from tied
    inner join apart on tied.component = apart.component
)

select
    links.key_a,
    links.key_b,
    reasons.reason
from cut
inner join links on cut.component = links.component and cut.strength = links.strength
inner join reasons on links.component = reasons.component
