{#- The evidence with integers in place of texts: what all identity work reads. -#}
{%- set types = identifier_types() %}

select
    evidence.source_system,
    evidence.rule,
    evidence.evidence_rank,
    evidence.source_record_id,
    evidence.observed_at,
    evidence.last_seen_at,
    evidence.observation_count,
    evidence.person_name,
    {%- for type in types %}
    {{ type }}_values.identifier_key as {{ type }},
    {%- endfor %}
    previous_values.identifier_key as previous_login
from {{ ref('int_identity_evidence') }} as evidence
{%- for type in types %}
left join {{ ref('int_identifier_values') }} as {{ type }}_values
    on evidence.{{ type }} = {{ type }}_values.raw_value and {{ type }}_values.identifier_type = '{{ type }}'
{%- endfor %}
left join {{ ref('int_identifier_values') }} as previous_values
    on evidence.previous_login = previous_values.raw_value and previous_values.identifier_type = 'login'
