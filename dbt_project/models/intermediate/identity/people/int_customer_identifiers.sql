with identifiers as (
    select *
    from {{ ref('int_identifiers') }}
),

sightings as (
    select *
    from {{ ref('int_identifier_sightings') }}
),

shared as (
    select *
    from {{ ref('int_shared_identifiers') }}
),

members as (
    select *
    from {{ ref('int_identity_members') }}
),

component_customers as (
    select *
    from {{ ref('int_component_customers') }}
    where is_current
)

select
    identifiers.identifier_key,
    identifiers.identifier_type,
    identifiers.identifier_value,
    component_customers.customer_id,
    {{ evidence_grade('sightings.evidence_rank') }} as evidence_grade,
    sightings.evidence_rank,
    shared.identifier_key is not null as is_shared,
    identifiers.block_reason is not null as is_blocked,
    identifiers.block_reason,
    shared.share_reason,
    sightings.first_seen_at,
    sightings.last_seen_at,
    sightings.observation_count
from identifiers
inner join sightings on identifiers.identifier_key = sightings.identifier_key
left join shared on identifiers.identifier_key = shared.identifier_key
left join members on identifiers.identifier_key = members.identifier_key
left join component_customers on members.component = component_customers.component
