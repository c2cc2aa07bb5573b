with moves as (
    select * from {{ ref('int_identity_moves_next') }}
),

registry as (
    select * from {{ ref('int_identity_registry_next') }}
),

identifiers as (
    select * from {{ ref('int_customer_identifiers') }}
),

-- Ids that were merged away were created as well
births as (
    select
        customer_id,
        min(registered_at) as recorded_at
    from (
        select
            customer_id,
            registered_at
        from registry
        union all
        select
            from_customer_id as customer_id,
            registered_at
        from moves
        where from_customer_id is not null
        union all
        select
            to_customer_id as customer_id,
            moved_at as registered_at
        from moves
        where to_customer_id is not null
    ) as known
    group by customer_id
),

first_sightings as (
    select
        customer_id,
        min(first_seen_at) as first_seen_at
    from identifiers
    where customer_id is not null
    group by customer_id
),

changes as (
    select
        'created' as change_type,
        births.customer_id,
        cast(null as {{ dbt.type_string() }}) as previous_customer_id,
        'first_seen' as reason,
        cast(null as {{ dbt.type_string() }}) as rule,
        cast(null as {{ dbt.type_string() }}) as source_system,
        cast(null as {{ dbt.type_string() }}) as source_record_id,
        cast(null as {{ dbt.type_string() }}) as evidence_grade,
        cast(null as bigint) as identifier_count,
        least(coalesce(first_sightings.first_seen_at, births.recorded_at), births.recorded_at) as effective_at,
        births.recorded_at
    from births
    left join first_sightings on births.customer_id = first_sightings.customer_id
    union all
    select
        move_type as change_type,
        to_customer_id as customer_id,
        from_customer_id as previous_customer_id,
        reason,
        min(rule) as rule,
        min(source_system) as source_system,
        min(source_record_id) as source_record_id,
        min(evidence_grade) as evidence_grade,
        count(*) as identifier_count,
        min(effective_at) as effective_at,
        moved_at as recorded_at
    from moves
    group by move_type, to_customer_id, from_customer_id, reason, moved_at
)

select
    {{ hash_key(['change_type', 'customer_id', 'previous_customer_id', 'reason', 'recorded_at']) }}
        as identity_change_id,
    *
from changes
