{#-
    Who was seen with what: the identifiers that a source put on one record, the grade of that record and
    when. Values are as the source wrote them. One column per identifier type: a record names at most one
    of each, but for a login that took the place of an earlier one. What repeats is told apart later, on integers, where that is cheap.
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
        nullif(trim(person_name), '') as person_name,
        {%- for type in types %}
        nullif(trim({{ type }}), '') as {{ type }},
        {%- endfor %}
        {%- if relation == 'int_evidence_from_web' %}
        previous_login
        {%- else %}
        cast(null as {{ dbt.type_string() }}) as previous_login
        {%- endif %}
    from {{ ref(relation) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select *
from evidence
where coalesce({{ types | join(', ') }}) is not null
