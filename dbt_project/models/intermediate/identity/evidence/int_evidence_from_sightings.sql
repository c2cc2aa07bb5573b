{#- Records that name one identifier: no edge, but whoever is named exists. -#}
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
    union all
    select
        'promotions' as source_system,
        'voucher' as rule,
        promotion_id as source_record_id,
        coalesce(issued_at, redeemed_at, starts_at) as occurred_at,
        identifier_type,
        identifier_value
    from {{ ref('stg_promotions__promotions') }}
    where
        identifier_value is not null
        and coalesce(issued_at, redeemed_at, starts_at) <= {{ as_of() }}
    union all
    select
        'experiments' as source_system,
        'assignment' as rule,
        experiment_id as source_record_id,
        assigned_at as occurred_at,
        identifier_type,
        identifier_value
    from {{ ref('stg_experiments__assignments') }}
),

-- Who was written to, from messages and not from their many events
recipients as (
    select
        message_source as source_system,
        email,
        klaviyo_profile_id,
        min(sent_at) as observed_at,
        max(coalesce(clicked_at, opened_at, sent_at)) as last_seen_at,
        count(*) as observation_count,
        {{ first_value_by_time('source_message_id', 'sent_at') }} as source_record_id
    from {{ ref('int_messages_unioned') }}
    where email is not null or klaviyo_profile_id is not null
    group by message_source, email, klaviyo_profile_id
),

addressees as (
    select
        identifier_type,
        identifier_value,
        min(occurred_at) as observed_at,
        max(occurred_at) as last_seen_at,
        count(distinct message_id) as observation_count,
        {{ first_value_by_time('message_id', 'occurred_at') }} as source_record_id
    from {{ ref('stg_messages__messages') }}
    where identifier_value is not null
    group by identifier_type, identifier_value
)

select
    source_system,
    rule,
    6 as evidence_rank,
    source_record_id,
    occurred_at as observed_at,
    occurred_at as last_seen_at,
    1 as observation_count,
    cast(null as {{ dbt.type_string() }}) as person_name
    {%- for type in identifier_types() %},
    case when identifier_type = '{{ type }}' then identifier_value end as {{ type }}
    {%- endfor %}
from typed
where identifier_value is not null
union all
select
    source_system,
    'recipient' as rule,
    6 as evidence_rank,
    source_record_id,
    observed_at,
    last_seen_at,
    observation_count,
    cast(null as {{ dbt.type_string() }}) as person_name,
    {{ identifier_columns({'email': 'email', 'klaviyo_profile_id': 'klaviyo_profile_id'}) }}
from recipients
union all
select
    'messages' as source_system,
    'recipient' as rule,
    6 as evidence_rank,
    source_record_id,
    observed_at,
    last_seen_at,
    observation_count,
    cast(null as {{ dbt.type_string() }}) as person_name
    {%- for type in identifier_types() %},
    case when identifier_type = '{{ type }}' then identifier_value end as {{ type }}
    {%- endfor %}
from addressees
