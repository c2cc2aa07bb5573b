{#-
    Who was seen with what: each distinct set of identifiers that a source put on one record, with the
    best grade of that record, the first time and how often. Values are as the source wrote them.
    One column per identifier type: a record names at most one of each.
-#}
{%- set types = identifier_types() %}

with evidence as (
    {%- for relation in [
        'int_evidence_from_orders', 'int_evidence_from_contacts', 'int_evidence_from_sightings',
        'int_evidence_from_web',
    ] %}
    select
        source_system,
        rule,
        evidence_rank,
        source_record_id,
        observed_at,
        last_seen_at,
        observation_count,
        {%- for type in types %}
        nullif(trim({{ type }}), '') as {{ type }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref(relation) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    source_system,
    rule,
    evidence_rank,
    {{ first_value_by_time('source_record_id', 'observed_at') }} as source_record_id,
    min(observed_at) as observed_at,
    max(last_seen_at) as last_seen_at,
    sum(observation_count) as observation_count,
    {{ types | join(',\n    ') }}
from evidence
where coalesce({{ types | join(', ') }}) is not null
group by source_system, rule, evidence_rank, {{ types | join(', ') }}
