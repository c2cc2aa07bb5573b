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
        case when decided.reason = 'granted' then receipts.occurred_at end as granted_at,
        case when decided.reason = 'granted' then receipts.expires_at end as expires_at
    from asked
    left join decided
        on
            asked.customer_id = decided.customer_id
            and asked.channel = decided.channel
            and asked.purpose = decided.purpose
    left join receipts on decided.consent_receipt_id = receipts.consent_event_id
)

select * from final
