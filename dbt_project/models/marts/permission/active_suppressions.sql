with policies as (
    {{ contact_policies() }}
),

suppressions as (
    select
        identifiers.customer_id,
        suppressed.*
    from {{ ref('stg_ops__suppressions') }} as suppressed
    inner join {{ ref('bridge_customer_identifiers') }} as identifiers
        on
            suppressed.identifier_type = identifiers.identifier_type
            and suppressed.identifier_value = identifiers.identifier_value
    where suppressed.occurred_at <= {{ as_of() }}
),

spread as (
    select
        suppressions.suppression_id,
        suppressions.customer_id,
        suppressions.identifier_type,
        suppressions.identifier_value,
        suppressions.reason,
        suppressions.source,
        suppressions.occurred_at,
        policies.channel,
        policies.purpose
    from suppressions
    inner join policies
        on
            (suppressions.channel = '*' or suppressions.channel = policies.channel)
            and (
                suppressions.purpose = policies.purpose
                or (suppressions.purpose = '*' and policies.purpose <> 'transactional')
            )
),

-- Only a newer opt-in with its evidence clears an opt-out, and only a person's own: a bounce, a
-- manual stop and a browser signal are not taken back by a form.
opt_ins as (
    select
        identifier_type,
        identifier_value,
        channel,
        purpose,
        max(occurred_at) as opted_in_at
    from {{ ref('stg_ops__consent_events') }}
    where
        status = 'granted'
        and source <> ''
        and (wording_version <> '' or proof <> '')
        and occurred_at <= {{ as_of() }}
    group by identifier_type, identifier_value, channel, purpose
),

final as (
    select
        spread.suppression_id,
        spread.customer_id,
        spread.channel,
        spread.purpose,
        spread.identifier_type,
        spread.identifier_value,
        spread.reason,
        spread.source,
        spread.occurred_at
    from spread
    left join opt_ins
        on
            spread.identifier_type = opt_ins.identifier_type
            and spread.identifier_value = opt_ins.identifier_value
            and spread.channel = opt_ins.channel
            and spread.purpose = opt_ins.purpose
            and spread.reason in ('unsubscribed', 'spam_report')
            and spread.occurred_at < opt_ins.opted_in_at
    where opt_ins.opted_in_at is null
)

select * from final
