-- What people were asked and answered, month by month. A shop that keeps no record of asking knows it of
-- those who answered; whoever said yes and no in one month counts in both.
with people as (
    select
        identifier_type,
        identifier_value,
        customer_id
    from {{ ref('bridge_customer_identifiers') }}
),

statements as (
    select
        identifier_type,
        identifier_value,
        channel,
        purpose,
        cast(null as {{ dbt.type_string() }}) as level,
        wording_version,
        occurred_at,
        'asked' as said
    from {{ ref('stg_ops__consent_requests') }}
    union all
    select
        identifier_type,
        identifier_value,
        channel,
        purpose,
        level,
        wording_version,
        occurred_at,
        case status when 'granted' then 'granted' when 'denied' then 'denied' else 'withdrawn' end as said
    from {{ ref('stg_ops__consent_events') }}
    union all
    -- A bounce is no wish of anybody's
    select
        identifier_type,
        identifier_value,
        channel,
        purpose,
        cast(null as {{ dbt.type_string() }}) as level,
        cast(null as {{ dbt.type_string() }}) as wording_version,
        occurred_at,
        'withdrawn' as said
    from {{ ref('stg_ops__suppressions') }}
    where reason <> 'hard_bounce'
),

of_people as (
    select
        {{ month_of(shop_date('statements.occurred_at')) }} as month,
        statements.channel,
        statements.purpose,
        coalesce(statements.level, 'unstated') as level,
        coalesce(statements.wording_version, 'unstated') as wording_version,
        statements.said,
        -- Whose identifier nobody was resolved to is somebody all the same
        coalesce(people.customer_id, statements.identifier_type || ':' || statements.identifier_value) as person
    from statements
    left join people
        on
            statements.identifier_type = people.identifier_type
            and statements.identifier_value = people.identifier_value
    where statements.occurred_at <= {{ as_of() }}
),

-- Whoever chose one level was asked about all of them
asked as (
    select
        month,
        channel,
        purpose,
        wording_version,
        count(distinct person) as asked_count
    from of_people
    where said <> 'withdrawn'
    group by month, channel, purpose, wording_version
),

counted as (
    select
        month,
        channel,
        purpose,
        level,
        wording_version,
        count(distinct case when said = 'granted' then person end) as granted_count,
        count(distinct case when said = 'denied' then person end) as denied_count,
        count(distinct case when said = 'withdrawn' then person end) as withdrawn_count
    from of_people
    group by month, channel, purpose, level, wording_version
),

final as (
    select
        counted.month,
        counted.channel,
        counted.purpose,
        counted.level,
        counted.wording_version,
        coalesce(asked.asked_count, 0) as asked_count,
        counted.granted_count,
        counted.denied_count,
        counted.withdrawn_count,
        cast(1.0 * counted.granted_count / nullif(asked.asked_count, 0) as decimal(9, 4)) as opt_in_rate
    from counted
    left join asked
        on
            counted.month = asked.month
            and counted.channel = asked.channel
            and counted.purpose = asked.purpose
            and counted.wording_version = asked.wording_version
)

select * from final
