{#-
    The links that are given up so that no conflict stays inside one person: the links of each component in
    conflict are taken in turn (rules, then accounts and addresses, then cards, phones and devices, each
    best evidence first), and one that would bring two sides of a conflict together, or give somebody more
    of a kind than a person may have, is refused. Few components are in conflict, so only they are looked
    at one link at a time.
-#}
{%- set limits = [] %}
{%- for limit in person_limits() %}
{%- do limits.append([limit.max_count, limit.window_days or 0]) %}
{%- endfor %}

with conflicts as (
    select *
    from {{ ref('int_identity_conflicts') }}
),

reasons as (
    select
        component,
        min(case when reason <> 'too_many' then reason end) as reason
    from conflicts
    group by component
),

links as (
    select
        drafts.component,
        links.key_a,
        links.key_b,
        case when links.evidence_rank = 0 then 1 else 0 end as by_hand,
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
                    concat_ws('', identifiers_a.identifier_type, '|', identifiers_a.identifier_value),
                    concat_ws('', identifiers_b.identifier_type, '|', identifiers_b.identifier_value)
                ),
                greatest(
                    concat_ws('', identifiers_a.identifier_type, '|', identifiers_a.identifier_value),
                    concat_ws('', identifiers_b.identifier_type, '|', identifiers_b.identifier_value)
                )
        ) as strength
    from {{ ref('int_identity_edges_checked') }} as links
    inner join {{ ref('int_identity_components_before_cuts') }} as drafts on links.key_a = drafts.node
    inner join {{ ref('int_identifiers') }} as identifiers_a on links.key_a = identifiers_a.identifier_key
    inner join {{ ref('int_identifiers') }} as identifiers_b on links.key_b = identifiers_b.identifier_key
    where links.refusal_reason is null and drafts.component in (select component from reasons)
),

apart as (
    select
        component,
        {{ number_lists(['key_a', 'key_b'], 'key_a, key_b') }} as pairs
    from conflicts
    where key_a is not null
    group by component
),

crowds as (
    select
        component,
        {{ number_lists(['node', 'limit_number', 'first_seen_micros'], 'node, limit_number') }} as members
    from {{ ref('int_identity_components_over_limit') }}
    group by component
),

tied as (
    select
        component,
        {{ number_lists(['key_a', 'key_b', 'by_hand'], 'strength') }} as pairs
    from links
    group by component
),

cut as (
    select
        tied.component,
        {{ refused_places('tied.pairs', 'apart.pairs', 'crowds.members', limits) }} as refused
    from tied
    left join apart on tied.component = apart.component
    left join crowds on tied.component = crowds.component
)

select
    links.key_a,
    links.key_b,
    case when {{ array_item('cut.refused', 2) }} = 2 then 'too_many' else reasons.reason end as reason
from cut
inner join links on cut.component = links.component and {{ array_item('cut.refused', 1) }} = links.strength
inner join reasons on links.component = reasons.component
