with policies as (
    {{ contact_policies() }}
),

people as (
    select
        customer_id,
        is_known
    from {{ ref('dim_customers') }}
),

decided as (
    select * from {{ ref('customer_permissions') }}
),

-- Whoever is anonymous can be met on site, by push and by ads, and only where something was said.
asked as (
    select
        people.customer_id,
        policies.channel,
        policies.purpose
    from people
    cross join policies
    where people.is_known
    union all
    select
        decided.customer_id,
        decided.channel,
        decided.purpose
    from decided
    inner join people on decided.customer_id = people.customer_id
    where not people.is_known and decided.channel in ('push', 'onsite', 'ads')
),

receipts as (
    select * from {{ ref('stg_ops__consent_events') }}
),

identifiers as (
    select * from {{ ref('bridge_customer_identifiers') }}
),

-- When any of a person's identifiers was last asked about it
requests as (
    select
        identifiers.customer_id,
        questions.channel,
        questions.purpose,
        max(questions.occurred_at) as requested_at
    from {{ ref('stg_ops__consent_requests') }} as questions
    inner join identifiers
        on
            questions.identifier_type = identifiers.identifier_type
            and questions.identifier_value = identifiers.identifier_value
    where questions.occurred_at <= {{ as_of() }}
    group by identifiers.customer_id, questions.channel, questions.purpose
),

-- What somebody did; that a message was opened decides nothing
signs_of_life as (
    select
        people.customer_id,
        greatest(
            people.first_seen_at, people.last_ordered_at, engagement.last_visit_at, engagement.last_clicked_at,
            engagement.last_complaint_at, engagement.last_support_at, engagement.last_preference_at
        ) as last_active_at
    from {{ ref('dim_customers') }} as people
    left join {{ ref('customer_engagement') }} as engagement on people.customer_id = engagement.customer_id
),

-- Whoever nothing is known of was never asked: no row of facts means no.
final as (
    select
        asked.customer_id,
        asked.channel,
        asked.purpose,
        coalesce(decided.reason = 'granted', false) as is_contactable,
        coalesce(decided.reason, 'no_consent') as reason,
        case when decided.reason = 'granted' then decided.consent_receipt_id end as consent_receipt_id,
        case when decided.reason = 'granted' then decided.address_type end as address_type,
        case when decided.reason = 'granted' then decided.address end as address,
        case when decided.reason = 'granted' then receipts.lawful_basis end as lawful_basis,
        case when decided.reason = 'granted' then receipts.source end as source,
        case when decided.reason = 'granted' then receipts.wording_version end as wording_version,
        case when decided.reason = 'granted' then receipts.proof end as proof,
        case
            when coalesce(decided.reason, '') <> 'granted' then null
            when identifiers.is_dormant then 'dormant_address'
            when
                greatest(signs_of_life.last_active_at, receipts.occurred_at)
                < {{ before_as_of(var('email_dormant_days'), 'day') }}
                then 'inactive'
        end as inactive_reason,
        requests.requested_at,
        case when decided.reason = 'granted' then receipts.occurred_at end as granted_at,
        case when decided.reason = 'granted' then receipts.expires_at end as expires_at
    from asked
    left join decided
        on
            asked.customer_id = decided.customer_id
            and asked.channel = decided.channel
            and asked.purpose = decided.purpose
    left join receipts on decided.consent_receipt_id = receipts.consent_event_id
    left join identifiers
        on
            decided.customer_id = identifiers.customer_id
            and decided.address_type = identifiers.identifier_type
            and decided.address = identifiers.identifier_value
    left join requests
        on
            asked.customer_id = requests.customer_id
            and asked.channel = requests.channel
            and asked.purpose = requests.purpose
    left join signs_of_life on asked.customer_id = signs_of_life.customer_id
)

select * from final
