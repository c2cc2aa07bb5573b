{#- Records that name one identifier: they tie nothing, but whoever is named exists. -#}
{{ config(materialized='view') }}

with typed as (
    select
        'feedback' as source_system,
        kind as rule,
        feedback_key as source_record_id,
        occurred_at,
        identifier_type,
        identifier_value
    from {{ ref('stg_feedback__feedback') }}
    union all
    select
        'consents' as source_system,
        'consent' as rule,
        consent_event_id as source_record_id,
        occurred_at,
        identifier_type,
        identifier_value
    from {{ ref('stg_ops__consent_events') }}
    where occurred_at <= {{ as_of() }}
    union all
    select
        'promotions' as source_system,
        'redemption' as rule,
        promotion_id as source_record_id,
        redeemed_at as occurred_at,
        'orders_customer_id' as identifier_type,
        orders_customer_id as identifier_value
    from {{ ref('stg_promotions__promotions') }}
    where redeemed_at is not null
),

email_recipients as (
    select
        email,
        min(occurred_at) as observed_at,
        max(occurred_at) as last_seen_at,
        count(*) as observation_count,
        {{ first_value_by_time('email_event_id', 'occurred_at') }} as source_record_id
    from {{ ref('stg_email__events') }}
    where email is not null
    group by email
),

klaviyo_recipients as (
    select
        email,
        klaviyo_profile_id,
        min(occurred_at) as observed_at,
        max(occurred_at) as last_seen_at,
        count(*) as observation_count,
        {{ first_value_by_time('event_id', 'occurred_at') }} as source_record_id
    from {{ ref('stg_klaviyo__events') }}
    where email is not null or klaviyo_profile_id is not null
    group by email, klaviyo_profile_id
)

select
    source_system,
    rule,
    6 as evidence_rank,
    source_record_id,
    occurred_at as observed_at,
    occurred_at as last_seen_at,
    1 as observation_count
    {%- for type in identifier_types() %},
    case when identifier_type = '{{ type }}' then identifier_value end as {{ type }}
    {%- endfor %}
from typed
where identifier_value is not null
union all
select
    'email' as source_system,
    'recipient' as rule,
    6 as evidence_rank,
    source_record_id,
    observed_at,
    last_seen_at,
    observation_count,
    {{ identifier_columns({'email': 'email'}) }}
from email_recipients
union all
select
    'klaviyo' as source_system,
    'recipient' as rule,
    6 as evidence_rank,
    source_record_id,
    observed_at,
    last_seen_at,
    observation_count,
    {{ identifier_columns({'email': 'email', 'klaviyo_profile_id': 'klaviyo_profile_id'}) }}
from klaviyo_recipients
