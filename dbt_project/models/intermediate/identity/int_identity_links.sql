{#-
    Pairs of identifiers that stood on one record, as integers. The most trusted usable identifier of a
    record ties its others; a blocked or shared value ties nothing and leaves a refused pair with its
    reason. Every kind of record at once, so a rule change applies to all history.
-#}
{%- set types = identifier_types() %}

with evidence as (
    select *
    from {{ ref('int_identity_evidence_keyed') }}
),

identifiers as (
    select *
    from {{ ref('int_identifiers') }}
),

refused_values as (
    select
        identifier_key,
        block_reason as refusal_reason
    from identifiers
    where block_reason is not null
    union
    select
        shared.identifier_key,
        concat('shared_', identifiers.identifier_type) as refusal_reason
    from {{ ref('int_shared_identifiers') }} as shared
    inner join identifiers on shared.identifier_key = identifiers.identifier_key
    where identifiers.block_reason is null
),

with_hub as (
    select
        evidence.*,
        coalesce(
            {%- for type in types %}
            case when {{ type }}_refused.identifier_key is null then evidence.{{ type }} end{{ ',' if not loop.last }}
            {%- endfor %}
        ) as hub
        {%- for type in types %},
        {{ type }}_refused.refusal_reason as {{ type }}_refusal
        {%- endfor %}
    from evidence
    {%- for type in types %}
    left join refused_values as {{ type }}_refused on evidence.{{ type }} = {{ type }}_refused.identifier_key
    {%- endfor %}
),

pairs as (
    {%- for type in types[1:] %}
    select
        hub,
        {{ type }} as other,
        {{ type }}_refusal as refusal_reason,
        source_system,
        rule,
        evidence_rank,
        source_record_id,
        observed_at
    from with_hub
    where {{ type }} <> hub
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    union all
    -- The first type ties the others unless it is itself refused
    select
        hub,
        {{ types[0] }} as other,
        {{ types[0] }}_refusal as refusal_reason,
        source_system,
        rule,
        evidence_rank,
        source_record_id,
        observed_at
    from with_hub
    where {{ types[0] }} <> hub
),

best_evidence as (
    select
        least(hub, other) as key_a,
        greatest(hub, other) as key_b,
        max(refusal_reason) as refusal_reason,
        -- Best grade, then earliest, then a fixed order: fixed-width texts compare as the tuple would
        min(concat(
            evidence_rank, lpad(cast({{ epoch_micros('observed_at') }} as varchar), 20, '0'),
            source_system, '|', rule, '|', source_record_id
        )) as best
    from pairs
    group by least(hub, other), greatest(hub, other)
)

select
    key_a,
    key_b,
    cast(substr(best, 1, 1) as integer) as evidence_rank,
    cast(substr(best, 2, 20) as bigint) as observed_micros,
    split_part(substr(best, 22), '|', 1) as source_system,
    split_part(substr(best, 22), '|', 2) as rule,
    substr(
        substr(best, 22),
        length(split_part(substr(best, 22), '|', 1)) + length(split_part(substr(best, 22), '|', 2)) + 3
    ) as source_record_id,
    refusal_reason
from best_evidence
