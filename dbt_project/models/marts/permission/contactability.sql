with policies as (
    {{ contact_policies() }}
),

people as (
    select customer_id from {{ ref('dim_customers') }}
    where is_known
),

decided as (
    select * from {{ ref('customer_permissions') }}
),

receipts as (
    select * from {{ ref('stg_ops__consent_events') }}
),

-- Whoever nothing is known of was never asked: no row of facts means no.
final as (
    select
        people.customer_id,
        policies.channel,
        policies.purpose,
        coalesce(decided.reason = 'granted', false) as is_contactable,
        coalesce(decided.reason, 'no_consent') as reason,
        case when decided.reason = 'granted' then decided.consent_receipt_id end as consent_receipt_id,
        case when decided.reason = 'granted' then decided.address_type end as address_type,
        case when decided.reason = 'granted' then decided.address end as address,
        case when decided.reason = 'granted' then receipts.lawful_basis end as lawful_basis,
        case when decided.reason = 'granted' then receipts.occurred_at end as granted_at,
        case when decided.reason = 'granted' then receipts.expires_at end as expires_at
    from people
    cross join policies
    left join decided
        on
            people.customer_id = decided.customer_id
            and policies.channel = decided.channel
            and policies.purpose = decided.purpose
    left join receipts on decided.consent_receipt_id = receipts.consent_event_id
)

select * from final
