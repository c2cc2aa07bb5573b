{#-
    Identifiers that went from one customer to another, in this run and before, with what moved them: the
    best edge between the two customers for a merge, the refused edge that used to connect them for a split,
    the reason of the value for one that is refused now. What publishes the file commits them.
-#}
with moves as (
    select *
    from {{ ref('stg_ops__identity_moves') }}
    where moved_at <= {{ as_of() }}
),

moved as (
    select *
    from {{ ref('int_identity_moved') }}
),

owners as (
    select
        identifiers.identifier_key,
        registry.customer_id as from_customer_id
    from {{ ref('int_customer_identifiers') }} as identifiers
    inner join {{ ref('stg_ops__identity_registry') }} as registry
        on
            identifiers.identifier_type = registry.identifier_type
            and identifiers.identifier_value = registry.identifier_value
),

edges as (
    select *
    from {{ ref('int_identity_edges_judged') }}
),

-- Both ends of every edge of what moved, the moved one first
borders as (
    select
        moved.from_customer_id,
        moved.to_customer_id,
        moved.move_type,
        edges.refusal_reason,
        edges.rule,
        edges.source_system,
        edges.source_record_id,
        edges.evidence_rank,
        edges.observed_micros,
        others.from_customer_id as other_from
    from moved
    inner join (
        select
            edges.*,
            key_a as near_key,
            key_b as far_key
        from edges
        union all
        select
            edges.*,
            key_b as near_key,
            key_a as far_key
        from edges
    ) as edges on moved.identifier_key = edges.near_key
    left join owners as others on edges.far_key = others.identifier_key
),

causes as (
    select *
    from borders
    where
        (
            move_type in ('merged', 'restored')
            and refusal_reason is null
            and other_from is distinct from from_customer_id
        )
        or (move_type = 'split' and refusal_reason is not null and other_from = from_customer_id)
    qualify row_number() over (
        partition by from_customer_id, to_customer_id, move_type
        order by evidence_rank, observed_micros, source_system, rule, source_record_id
    ) = 1
),

new_moves as (
    select
        moved.identifier_type,
        moved.identifier_value,
        {{ as_of() }} as moved_at,
        moved.from_customer_id,
        moved.to_customer_id,
        moved.move_type,
        case
            when moved.move_type = 'refused' then coalesce(moved.value_reason, 'evidence_gone')
            when moved.move_type = 'split' then coalesce(causes.refusal_reason, 'evidence_gone')
            when causes.rule = 'must_link' then 'must_link'
            else 'evidence'
        end as reason,
        causes.rule,
        causes.source_system,
        causes.source_record_id,
        {{ evidence_grade('causes.evidence_rank') }} as evidence_grade,
        -- Evidence tells since when two were one; a refusal holds from when it was found out
        case
            when moved.move_type in ('merged', 'restored') and causes.observed_micros is not null
                then {{ timestamp_from_micros('causes.observed_micros') }}
            else {{ as_of() }}
        end as effective_at,
        moved.registered_at
    from moved
    left join causes
        on
            moved.from_customer_id is not distinct from causes.from_customer_id
            and moved.to_customer_id is not distinct from causes.to_customer_id
            and moved.move_type = causes.move_type
)

-- A second run as of the same moment tells the first one's move on from where it began; there and back is
-- no move
select
    new_moves.identifier_type,
    new_moves.identifier_value,
    new_moves.moved_at,
    case when moves.identifier_type is null then new_moves.from_customer_id else moves.from_customer_id end
        as from_customer_id,
    new_moves.to_customer_id,
    new_moves.move_type,
    new_moves.reason,
    new_moves.rule,
    new_moves.source_system,
    new_moves.source_record_id,
    new_moves.evidence_grade,
    new_moves.effective_at,
    new_moves.registered_at
from new_moves
left join moves
    on
        new_moves.identifier_type = moves.identifier_type
        and new_moves.identifier_value = moves.identifier_value
        and new_moves.moved_at = moves.moved_at
where moves.identifier_type is null or new_moves.to_customer_id is distinct from moves.from_customer_id
union all
select moves.*
from moves
left join new_moves
    on
        moves.identifier_type = new_moves.identifier_type
        and moves.identifier_value = new_moves.identifier_value
        and moves.moved_at = new_moves.moved_at
where new_moves.identifier_type is null
