with moves as (
    select * from {{ ref('int_identity_moves_next') }}
),

current_owners as (
    select * from {{ ref('int_customer_identifiers') }}
),

registry as (
    select * from {{ ref('int_identity_registry_next') }}
),

first_moves as (
    select
        identifier_type,
        identifier_value,
        from_customer_id
    from moves
    qualify row_number() over (partition by identifier_type, identifier_value order by moved_at) = 1
),

stays as (
    select
        registry.identifier_type,
        registry.identifier_value,
        case
            when first_moves.identifier_type is null then registry.customer_id
            else first_moves.from_customer_id
        end as customer_id,
        registry.registered_at as fallback_from,
        registry.registered_at as recorded_from,
        0 as place
    from registry
    left join first_moves
        on
            registry.identifier_type = first_moves.identifier_type
            and registry.identifier_value = first_moves.identifier_value
    union all
    select
        identifier_type,
        identifier_value,
        to_customer_id as customer_id,
        effective_at as fallback_from,
        moved_at as recorded_from,
        1 as place
    from moves
),

closed as (
    select
        *,
        lead(recorded_from) over (
            partition by identifier_type, identifier_value order by recorded_from, place
        ) as recorded_to
    from stays
)

-- What is somebody's is theirs since it was first seen, however late a record tied it to them
select
    closed.identifier_type,
    closed.identifier_value,
    closed.customer_id,
    coalesce(current_owners.first_seen_at, closed.fallback_from) as effective_from,
    closed.recorded_from,
    closed.recorded_to,
    closed.recorded_to is null as is_current
from closed
left join current_owners
    on
        closed.identifier_type = current_owners.identifier_type
        and closed.identifier_value = current_owners.identifier_value
where
    closed.customer_id is not null
    -- Of two runs as of one moment the later is what was known
    and (closed.recorded_to is null or closed.recorded_to > closed.recorded_from)
