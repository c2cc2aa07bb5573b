-- An opt-in counts once it has happened, a refusal from the moment it is known, whatever its date: so does
-- the gate, and a clock that ran ahead loses nobody's no.
with consents as (
    select * from {{ ref('stg_ops__consent_events') }}
    where status <> 'granted' or occurred_at <= {{ as_of() }}
),

-- A provider's own groups stand beside our purposes, for whoever said something about one.
policies as (
    {{ contact_policies() }}
    union
    select
        channel,
        purpose
    from consents
    where purpose like 'group:%' and channel <> '*'
),

suppressions as (
    select * from {{ ref('stg_ops__suppressions') }}
),

-- A refusal may be written for every channel or purpose at once ('*'); a grant may not. A
-- suppression for every purpose leaves the transactional one alone.
opt_outs as (
    select
        consents.identifier_type,
        consents.identifier_value,
        policies.channel,
        policies.purpose,
        consents.occurred_at,
        {{ opt_out_reason('consents.status') }} as reason
    from consents
    inner join policies
        on
            consents.channel in ('*', policies.channel)
            and (
                consents.purpose = policies.purpose
                or (consents.purpose = '*' and policies.purpose not like 'group:%')
            )
    where consents.status <> 'granted'
    union all
    select
        suppressions.identifier_type,
        suppressions.identifier_value,
        policies.channel,
        policies.purpose,
        suppressions.occurred_at,
        {{ opt_out_reason('suppressions.reason') }} as reason
    from suppressions
    inner join policies
        on
            suppressions.channel in ('*', policies.channel)
            and (
                suppressions.purpose = policies.purpose
                or (
                    suppressions.purpose = '*'
                    and policies.purpose <> 'transactional'
                    and policies.purpose not like 'group:%'
                )
            )
),

grants as (
    select
        *,
        {{ is_evidenced() }} as is_evidenced
    from consents
    where
        status = 'granted'
        and trim(coalesce(source, '')) <> ''
        and (lawful_basis <> 'contract' or purpose = 'transactional')
),

evidenced as (
    select
        identifier_type,
        identifier_value,
        channel,
        purpose,
        max(occurred_at) as evidenced_at
    from grants
    where is_evidenced
    group by identifier_type, identifier_value, channel, purpose
),

-- Only a newer opt-in with its evidence undoes an opt-out; nothing undoes a bounce, a manual stop
-- or a browser's privacy signal.
in_force as (
    select
        opt_outs.identifier_type,
        opt_outs.identifier_value,
        opt_outs.channel,
        opt_outs.purpose,
        min(case when opt_outs.reason <> 'hard_bounce' then {{ refusal_rank('opt_outs.reason') }} end)
            as opt_out_rank,
        bool_or(opt_outs.reason = 'hard_bounce') as is_bounced,
        max(opt_outs.occurred_at) as opted_out_at
    from opt_outs
    left join evidenced
        on
            opt_outs.identifier_type = evidenced.identifier_type
            and opt_outs.identifier_value = evidenced.identifier_value
            and opt_outs.channel = evidenced.channel
            and opt_outs.purpose = evidenced.purpose
    where {{ is_in_force('opt_outs.reason', 'opt_outs.occurred_at', 'evidenced.evidenced_at') }}
    group by
        opt_outs.identifier_type, opt_outs.identifier_value, opt_outs.channel, opt_outs.purpose
),

judged_grants as (
    select
        *,
        case
            when expires_at <= {{ as_of() }} then 'expired'
            {%- if var('double_opt_in') %}
            when purpose <> 'transactional' and coalesce(proof, '') = '' then 'unconfirmed'
            {%- endif %}
        end as lacking
    from grants
),

-- Of two that say the same moment the one that lacks something counts.
latest_grants as (
    select * from judged_grants
    qualify row_number() over (
        partition by identifier_type, identifier_value, channel, purpose
        order by
            occurred_at desc,
            case lacking when 'unconfirmed' then 0 when 'expired' then 1 else 2 end,
            consent_event_id desc
    ) = 1
),

final as (
    select
        coalesce(latest_grants.identifier_type, in_force.identifier_type) as identifier_type,
        coalesce(latest_grants.identifier_value, in_force.identifier_value) as identifier_value,
        coalesce(latest_grants.channel, in_force.channel) as channel,
        coalesce(latest_grants.purpose, in_force.purpose) as purpose,
        case when latest_grants.lacking is null then latest_grants.consent_event_id end as consent_receipt_id,
        latest_grants.lacking,
        {{ refusal_of_rank('in_force.opt_out_rank') }} as opt_out_reason,
        coalesce(in_force.is_bounced, false) as is_bounced,
        latest_grants.lawful_basis,
        latest_grants.source as consent_source,
        latest_grants.wording_version,
        latest_grants.occurred_at as granted_at,
        latest_grants.expires_at,
        in_force.opted_out_at
    from latest_grants
    full outer join in_force
        on
            latest_grants.identifier_type = in_force.identifier_type
            and latest_grants.identifier_value = in_force.identifier_value
            and latest_grants.channel = in_force.channel
            and latest_grants.purpose = in_force.purpose
)

select * from final
