{%- set rules = survivorship_rules() -%}
{%- set unions = [] -%}
{%- for field, chosen in rules.items() if chosen.rule == 'union' -%}{%- do unions.append(field) -%}{%- endfor -%}
-- depends_on: {{ ref('survivorship_rules') }}
with claims as (
    select
        *,
        {% if 'most_frequent' in rules.values() | map(attribute='rule') -%}
        count(*) over (partition by customer_id, field, unit_value) as unit_count
        {%- else -%}
        0 as unit_count
        {%- endif %}
    from {{ ref('int_customer_claims') }}
),

identifiers as (
    select * from {{ ref('bridge_customer_identifiers') }}
    where identifier_type in ('email', 'phone')
),

ranked as (
    select
        *,
        row_number() over (
            partition by customer_id, field
            order by
                {{ survivorship_number(rules) }},
                {{ survivorship_text(rules, 'minimum') }},
                {{ survivorship_text(rules, 'maximum') }} desc,
                missing_halves,
                stated_at desc nulls last,
                evidence_rank,
                source_record_id,
                source_system
        ) as standing
    from claims
),

-- Of the records that say the same, the one that stands best speaks for the value
spoken as (
    select
        *,
        count(*) over (partition by customer_id, field, claimed_value) as claim_count
    from ranked
    qualify row_number() over (partition by customer_id, field, claimed_value order by standing) = 1
),

final as (
    select
        customer_id,
        field,
        claimed_value,
        {% if unions -%}
        case when field in ({{ quoted(unions) }}) then claimed_value <> '' else standing = 1 end as is_winner,
        {%- else -%}
        standing = 1 as is_winner,
        {%- endif %}
        case
            {%- for field, chosen in rules.items() %}
            when field = '{{ field }}' then '{{ chosen.rule }}'
            {%- endfor %}
        end as rule,
        source_system,
        source_record_id,
        {{ evidence_grade('evidence_rank') }} as evidence_grade,
        fact_kind,
        claim_count,
        stated_at
    from spoken
    where field not in ('email', 'phone')
    union all
    -- Which address and number is best is decided with what messages and orders say of it, once, in the bridge
    select
        identifiers.customer_id,
        identifiers.identifier_type as field,
        identifiers.identifier_value as claimed_value,
        identifiers.is_primary as is_winner,
        'primary_identifier' as rule,
        spoken.source_system,
        spoken.source_record_id,
        identifiers.evidence_grade,
        coalesce(spoken.fact_kind, 'observed') as fact_kind,
        identifiers.observation_count as claim_count,
        coalesce(spoken.stated_at, identifiers.last_seen_at) as stated_at
    from identifiers
    left join spoken
        on
            identifiers.customer_id = spoken.customer_id
            and identifiers.identifier_type = spoken.field
            and identifiers.identifier_value = spoken.claimed_value
)

select * from final
