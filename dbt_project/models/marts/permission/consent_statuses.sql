with policies as (
    {{ contact_policies() }}
),

events as (
    select
        identifiers.customer_id,
        consents.*
    from {{ ref('stg_ops__consent_events') }} as consents
    inner join {{ ref('bridge_customer_identifiers') }} as identifiers
        on
            consents.identifier_type = identifiers.identifier_type
            and consents.identifier_value = identifiers.identifier_value
    where consents.occurred_at <= {{ as_of() }}
),

-- A refusal may be written for every channel or purpose at once ('*'); a grant may not.
spread as (
    select
        events.customer_id,
        events.consent_event_id,
        events.identifier_type,
        events.identifier_value,
        events.status,
        events.source,
        events.wording_version,
        events.proof,
        events.lawful_basis,
        events.occurred_at,
        events.expires_at,
        events.recorded_at,
        policies.channel,
        policies.purpose
    from events
    inner join policies
        on
            (events.channel = '*' or events.channel = policies.channel)
            and (events.purpose = '*' or events.purpose = policies.purpose)
    where (events.channel = '*' or events.purpose = '*') and events.status in ('denied', 'revoked')
    union all
    select
        customer_id,
        consent_event_id,
        identifier_type,
        identifier_value,
        status,
        source,
        wording_version,
        proof,
        lawful_basis,
        occurred_at,
        expires_at,
        recorded_at,
        channel,
        purpose
    from events
    where channel <> '*' and purpose <> '*'
),

latest as (
    select
        *,
        {{ consent_state('status', 'source', 'proof', 'expires_at') }} as consent_status
    from spread
    qualify row_number() over (
        partition by customer_id, identifier_type, identifier_value, channel, purpose
        order by
            occurred_at desc,
            case when status = 'granted' then 1 else 0 end,
            recorded_at desc,
            consent_event_id desc
    ) = 1
),

final as (
    select
        customer_id,
        channel,
        purpose,
        consent_status,
        consent_event_id as consent_receipt_id,
        lawful_basis,
        source as consent_source,
        wording_version,
        identifier_type,
        identifier_value,
        occurred_at as decided_at,
        expires_at
    from latest
    qualify row_number() over (
        partition by customer_id, channel, purpose
        order by
            {{ consent_strictness('consent_status') }},
            occurred_at desc,
            consent_event_id desc
    ) = 1
)

select * from final
