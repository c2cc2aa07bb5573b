{#- How well, since when and how often each identifier was seen. -#}
{%- set types = identifier_types() %}

with sightings as (
    {%- for type in types %}
    select
        {{ type }} as identifier_key,
        evidence_rank,
        observed_at,
        last_seen_at,
        observation_count
    from {{ ref('int_identity_evidence_keyed') }}
    where {{ type }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    identifier_key,
    min(evidence_rank) as evidence_rank,
    min(observed_at) as first_seen_at,
    max(last_seen_at) as last_seen_at,
    cast(sum(observation_count) as bigint) as observation_count
from sightings
group by identifier_key
