{#-
    The edges that are given up so that no conflict stays inside one person: the edges of each component in
    conflict are taken in turn (rules, then accounts and addresses, then cards, phones and devices, each
    best evidence first), and one that would connect two sides of a conflict, or give somebody more of a kind
    than a person may have, is refused. Few components are in conflict, so only they are looked at one edge
    at a time.
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

edges as (
    select
        before_cuts.component,
        edges.key_a,
        edges.key_b,
        case when edges.evidence_rank = 0 then 1 else 0 end as by_hand,
        row_number() over (
            partition by before_cuts.component
            order by
                case
                    when edges.evidence_rank = 0 then 0
                    when edges.is_bridge_a or edges.is_bridge_b then 2
                    else 1
                end,
                edges.evidence_rank,
                edges.observed_micros,
                edges.source_system,
                edges.rule,
                edges.source_record_id,
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
    from {{ ref('int_identity_edges_checked') }} as edges
    inner join {{ ref('int_identity_components_before_cuts') }} as before_cuts on edges.key_a = before_cuts.node
    inner join {{ ref('int_identifiers') }} as identifiers_a on edges.key_a = identifiers_a.identifier_key
    inner join {{ ref('int_identifiers') }} as identifiers_b on edges.key_b = identifiers_b.identifier_key
    where edges.refusal_reason is null and before_cuts.component in (select component from reasons)
),

apart as (
    select
        component,
        {{ number_lists(['key_a', 'key_b'], 'key_a, key_b') }} as pairs
    from conflicts
    where key_a is not null
    group by component
),

over_limit as (
    select
        component,
        {{ number_lists(['node', 'limit_number', 'first_seen_micros'], 'node, limit_number') }} as members
    from {{ ref('int_identity_components_over_limit') }}
    group by component
),

in_turn as (
    select
        component,
        {{ number_lists(['key_a', 'key_b', 'by_hand'], 'strength') }} as pairs
    from edges
    group by component
),

cut as (
    select
        in_turn.component,
        {{ refused_places('in_turn.pairs', 'apart.pairs', 'over_limit.members', limits) }} as refused
    from in_turn
    left join apart on in_turn.component = apart.component
    left join over_limit on in_turn.component = over_limit.component
)

select
    edges.key_a,
    edges.key_b,
    case when {{ array_item('cut.refused', 2) }} = 2 then 'too_many' else reasons.reason end as reason
from cut
inner join edges on cut.component = edges.component and {{ array_item('cut.refused', 1) }} = edges.strength
inner join reasons on edges.component = reasons.component
