with identifiers as (
    select * from {{ ref('int_customer_identifiers') }}
    where customer_id is not null
),

mail_signs as (
    select
        'email' as identifier_type,
        email as identifier_value,
        max(greatest(opened_at, clicked_at)) as last_read_at,
        max(case when is_hard_bounce then bounced_at end) as hard_bounced_at,
        max(greatest(delivered_at, opened_at, clicked_at)) as last_arrived_at
    from {{ ref('fct_messages') }}
    where email is not null
    group by email
),

order_signs as (
    select
        'email' as identifier_type,
        email as identifier_value,
        max(ordered_at) as last_ordered_at,
        count(*) as order_count
    from {{ ref('int_orders_resolved') }}
    where email is not null
    group by email
),

login_signs as (
    select
        'email' as identifier_type,
        email as identifier_value,
        last_login_at
    from {{ ref('int_email_logins') }}
),

verified as (
    select *
    from {{ ref('int_verified_identifiers') }}
),

slips as (
    select *
    from {{ ref('int_email_slips') }}
),

signs as (
    select
        identifiers.*,
        slips.identifier_value is not null as is_slip,
        verified.identifier_value is not null as is_verified,
        verified.verified_at,
        mail_signs.last_read_at is not null as is_read,
        coalesce(order_signs.order_count, 0) as order_count,
        coalesce(
            mail_signs.hard_bounced_at > coalesce(mail_signs.last_arrived_at, timestamp '1900-01-01 00:00:00'),
            false
        ) as is_undeliverable,
        greatest(
            identifiers.first_seen_at,
            mail_signs.last_read_at,
            order_signs.last_ordered_at,
            login_signs.last_login_at
        ) as last_sign_of_life_at
    from identifiers
    left join mail_signs
        on
            identifiers.identifier_type = mail_signs.identifier_type
            and identifiers.identifier_value = mail_signs.identifier_value
    left join order_signs
        on
            identifiers.identifier_type = order_signs.identifier_type
            and identifiers.identifier_value = order_signs.identifier_value
    left join login_signs
        on
            identifiers.identifier_type = login_signs.identifier_type
            and identifiers.identifier_value = login_signs.identifier_value
    left join verified
        on
            identifiers.identifier_type = verified.identifier_type
            and identifiers.identifier_value = verified.identifier_value
    left join slips
        on
            identifiers.customer_id = slips.customer_id
            and identifiers.identifier_type = slips.identifier_type
            and identifiers.identifier_value = slips.identifier_value
),

silences as (
    select
        *,
        coalesce(
            identifier_type = 'email'
            and last_sign_of_life_at < {{ before_as_of(var('email_dormant_days'), 'day') }},
            false
        ) as is_silent
    from signs
),

-- A silent address is dormant only where the person has a living one
judged as (
    select
        *,
        identifier_type = 'email'
        and (
            is_undeliverable
            or (
                is_silent
                and min(case when is_undeliverable or is_silent then 1 else 0 end)
                    over (partition by customer_id, identifier_type)
                = 0
            )
        ) as is_dormant
    from silences
),

final as (
    select
        customer_id,
        identifier_type,
        identifier_value,
        evidence_grade,
        row_number() over (
            partition by customer_id, identifier_type
            order by
                is_undeliverable, is_slip, is_dormant, evidence_rank, order_count desc, is_read desc, last_seen_at desc,
                observation_count desc, identifier_value
        ) = 1 as is_primary,
        is_dormant,
        is_undeliverable,
        is_shared,
        is_verified,
        verified_at,
        observation_count,
        first_seen_at,
        last_seen_at
    from judged
)

select * from final
