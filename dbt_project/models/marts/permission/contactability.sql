with policies as (
    {{ contact_policies() }}
),

devices as (
    select
        customer_id,
        true as has_device
    from {{ ref('bridge_customer_identifiers') }}
    where identifier_type = 'device' and is_primary
),

people as (
    select
        customers.customer_id,
        customers.email,
        customers.phone,
        coalesce(devices.has_device, false) as has_device
    from {{ ref('dim_customers') }} as customers
    left join devices on customers.customer_id = devices.customer_id
    where customers.is_known
),

consents as (
    select * from {{ ref('consent_statuses') }}
),

-- A hard bounce ends one address: it counts when it is the address we would write to.
suppressions as (
    select
        active.customer_id,
        active.channel,
        active.purpose,
        active.reason as suppression_reason
    from {{ ref('active_suppressions') }} as active
    inner join people on active.customer_id = people.customer_id
    where active.reason <> 'hard_bounce' or active.identifier_value = people.email
    qualify row_number() over (
        partition by active.customer_id, active.channel, active.purpose
        order by
            {{ suppression_rank('active.reason') }}, active.occurred_at desc, active.suppression_id
    ) = 1
),

judged as (
    select
        people.customer_id,
        policies.channel,
        policies.purpose,
        coalesce(consents.consent_status, 'unknown') as consent_status,
        consents.consent_receipt_id,
        consents.lawful_basis,
        consents.decided_at,
        consents.expires_at,
        suppressions.suppression_reason,
        case policies.channel
            when 'email' then people.email is not null
            when 'sms' then people.phone is not null
            when 'ads' then people.email is not null or people.phone is not null
            when 'push' then people.has_device
            else true
        end as has_address
    from people
    cross join policies
    left join consents
        on
            people.customer_id = consents.customer_id
            and policies.channel = consents.channel
            and policies.purpose = consents.purpose
    left join suppressions
        on
            people.customer_id = suppressions.customer_id
            and policies.channel = suppressions.channel
            and policies.purpose = suppressions.purpose
),

final as (
    select
        customer_id,
        channel,
        purpose,
        consent_receipt_id,
        consent_status = 'granted' and suppression_reason is null and has_address as is_contactable,
        case
            when suppression_reason is not null then suppression_reason
            when consent_status = 'unknown' then 'no_consent'
            when consent_status <> 'granted' then consent_status
            when not has_address then 'no_address'
            else 'granted'
        end as reason,
        consent_status,
        suppression_reason,
        has_address,
        lawful_basis,
        decided_at,
        expires_at
    from judged
)

select * from final
