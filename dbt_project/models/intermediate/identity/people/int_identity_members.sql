{#- Every identifier that may stand for somebody, with its component. A shared device stands for an
    anonymous visitor of its own; a shared card or phone and a blocked value stand for nobody. -#}
with identifiers as (
    select *
    from {{ ref('int_identifiers') }}
    where block_reason is null
),

sightings as (
    select *
    from {{ ref('int_identifier_sightings') }}
),

shared as (
    select *
    from {{ ref('int_shared_identifiers') }}
),

components as (
    select *
    from {{ ref('int_identity_components') }}
)

select
    identifiers.identifier_key,
    identifiers.identifier_type,
    identifiers.identifier_value,
    coalesce(components.component, identifiers.identifier_key) as component,
    components.node is null as is_alone,
    sightings.evidence_rank,
    sightings.first_seen_at,
    sightings.last_seen_at,
    sightings.observation_count
from identifiers
inner join sightings on identifiers.identifier_key = sightings.identifier_key
left join shared on identifiers.identifier_key = shared.identifier_key
left join components on identifiers.identifier_key = components.node
where shared.identifier_key is null or identifiers.identifier_type = 'device'
