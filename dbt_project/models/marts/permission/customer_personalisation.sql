-- Answers about being personalised and nothing else: a no to messages on one channel is none of them, a no
-- to everything everywhere is. An opt-in counts once it has happened, a refusal from the moment it is known.
with consents as (
    select * from {{ ref('stg_ops__consent_events') }}
    where
        -- A no by SMS is kept as one to every purpose there; a level says what it was an answer to
        (purpose = 'personalisation' or level is not null or (purpose = '*' and channel = '*'))
        and (status <> 'granted' or occurred_at <= {{ as_of() }})
),

suppressions as (
    select * from {{ ref('stg_ops__suppressions') }}
    where purpose = 'personalisation' or (purpose = '*' and channel = '*')
),

identifiers as (
    select * from {{ ref('bridge_customer_identifiers') }}
),

people as (
    select customer_id from {{ ref('dim_customers') }}
    where is_known
),

refusals as (
    select
        consent_event_id as receipt_id,
        identifier_type,
        identifier_value,
        channel,
        {{ opt_out_reason('status') }} as reason,
        occurred_at,
        source,
        wording_version
    from consents
    where status <> 'granted'
    union all
    select
        cast(null as {{ dbt.type_string() }}) as receipt_id,
        identifier_type,
        identifier_value,
        channel,
        {{ opt_out_reason('reason') }} as reason,
        occurred_at,
        source,
        cast(null as {{ dbt.type_string() }}) as wording_version
    from suppressions
),

grants as (
    select
        *,
        {{ is_evidenced() }} as is_evidenced
    from consents
    where status = 'granted' and trim(coalesce(source, '')) <> '' and lawful_basis <> 'contract'
),

evidenced as (
    select
        identifier_type,
        identifier_value,
        channel,
        max(occurred_at) as evidenced_at
    from grants
    where is_evidenced
    group by identifier_type, identifier_value, channel
    union all
    select
        identifier_type,
        identifier_value,
        '*' as channel,
        max(occurred_at) as evidenced_at
    from grants
    where is_evidenced
    group by identifier_type, identifier_value
),

-- As the gate judges: only a newer opt-in with its evidence undoes a no, for the same identifier and channel (a no
-- to every channel, on any of them); nothing undoes a manual stop or a privacy signal.
refusals_in_force as (
    select refusals.*
    from refusals
    left join evidenced
        on
            refusals.identifier_type = evidenced.identifier_type
            and refusals.identifier_value = evidenced.identifier_value
            and refusals.channel = evidenced.channel
    where {{ is_in_force('refusals.reason', 'refusals.occurred_at', 'evidenced.evidenced_at') }}
),

latest_grants as (
    select
        *,
        case
            when expires_at <= {{ as_of() }} then 'expired'
            {%- if var('double_opt_in') %}
            when coalesce(proof, '') = '' then 'unconfirmed'
            {%- endif %}
        end as lacking
    from grants
    qualify row_number() over (
        partition by identifier_type, identifier_value, channel
        order by occurred_at desc, consent_event_id desc
    ) = 1
),

answers as (
    select
        receipt_id,
        identifier_type,
        identifier_value,
        channel,
        'none' as level,
        reason,
        occurred_at,
        source,
        wording_version
    from refusals_in_force
    union all
    -- A yes that names no level is one to being personalised, but a browser's to its banner is no person's; one
    -- that counts no more is no answer
    select
        consent_event_id as receipt_id,
        identifier_type,
        identifier_value,
        channel,
        case when lacking is null then coalesce(level, 'full') else 'segment' end as level,
        coalesce(lacking, 'granted') as reason,
        occurred_at,
        source,
        wording_version
    from latest_grants
    where level is not null or identifier_type not in ({{ quoted(anonymous_identifier_types()) }})
),

-- The strictest of all the person's identifiers and channels holds everywhere. Behind a level that was
-- chosen stands what is no answer any more.
strictest as (
    select
        identifiers.customer_id,
        answers.level,
        answers.reason,
        answers.receipt_id,
        answers.occurred_at,
        answers.channel,
        answers.source,
        answers.wording_version,
        count(*) over (partition by identifiers.customer_id) as answer_count
    from answers
    inner join identifiers
        on
            answers.identifier_type = identifiers.identifier_type
            and answers.identifier_value = identifiers.identifier_value
    qualify row_number() over (
        partition by identifiers.customer_id
        order by
            case when answers.reason in ('expired', 'unconfirmed') then 1 else 0 end,
            {{ personalisation_rank('answers.level') }},
            answers.occurred_at desc,
            answers.channel,
            answers.identifier_type,
            answers.identifier_value,
            answers.reason,
            answers.receipt_id
    ) = 1
),

requests as (
    select
        identifiers.customer_id,
        max(asked.occurred_at) as requested_at
    from {{ ref('stg_ops__consent_requests') }} as asked
    inner join identifiers
        on
            asked.identifier_type = identifiers.identifier_type
            and asked.identifier_value = identifiers.identifier_value
    where asked.purpose = 'personalisation'
    group by identifiers.customer_id
),

final as (
    select
        people.customer_id,
        coalesce(strictest.level, 'segment') as level,
        coalesce(strictest.reason, 'never_asked') as reason,
        case when coalesce(strictest.reason, '') not in ('expired', 'unconfirmed') then strictest.receipt_id end as receipt_id,
        strictest.occurred_at as answered_at,
        strictest.channel as answered_on,
        strictest.source,
        strictest.wording_version,
        coalesce(strictest.answer_count, 0) as answer_count,
        requests.requested_at
    from people
    left join strictest on people.customer_id = strictest.customer_id
    left join requests on people.customer_id = requests.customer_id
)

select * from final
