-- Weeks end with the day of the run, so that none is cut short. What a site or an ad shows interrupts nobody.
{%- set channels = quoted(['email', 'sms', 'push']) %}
{%- set today = modules.datetime.datetime.strptime(as_of_date_text(), '%Y-%m-%d').date() %}
with weeks as (
    {% for number in range(var('contact_pressure_weeks')) -%}
    select
        {{ number }} as weeks_ago,
        date '{{ today - modules.datetime.timedelta(days=7 * number) }}' as week_ends_on
    {% if not loop.last %}union all
    {% endif %}
    {%- endfor %}
),

reachable as (
    select
        people.customer_id,
        {{ shop_date('people.first_seen_at') }} as first_seen_date
    from {{ ref('dim_customers') }} as people
    inner join (
        select distinct customer_id
        from {{ ref('contactability') }}
        where is_contactable and purpose = 'marketing' and channel in ({{ channels }})
    ) as permitted on people.customer_id = permitted.customer_id
),

sent as (
    select
        customer_id,
        channel,
        {{ days_until_as_of(shop_date('sent_at')) }} as days_ago
    from {{ ref('fct_messages') }}
    where
        channel in ({{ channels }})
        and sent_at <= {{ as_of() }}
        and coalesce(message_kind, '') not in ('transactional', 'service')
),

counted as (
    select
        customer_id,
        cast(floor(days_ago / 7.0) as integer) as weeks_ago,
        count(*) as message_count,
        count(distinct channel) as channel_count
    from sent
    group by customer_id, cast(floor(days_ago / 7.0) as integer)
),

-- Nobody can be left out of a week in which the shop did not know them
silent as (
    select
        reachable.customer_id,
        weeks.weeks_ago
    from reachable
    cross join weeks
    left join counted on reachable.customer_id = counted.customer_id and weeks.weeks_ago = counted.weeks_ago
    where
        counted.customer_id is null
        and {{ days_until_as_of('reachable.first_seen_date') }} >= 7 * weeks.weeks_ago
),

people as (
    select
        customer_id,
        weeks_ago,
        message_count,
        channel_count
    from counted
    union all
    select
        customer_id,
        weeks_ago,
        0 as message_count,
        0 as channel_count
    from silent
),

final as (
    select
        weeks.week_ends_on,
        people.message_count,
        people.message_count > {{ var('contacts_per_week') }} as is_over_limit,
        count(*) as people,
        sum(case when people.channel_count > 1 then 1 else 0 end) as several_channel_count
    from people
    inner join weeks on people.weeks_ago = weeks.weeks_ago
    group by weeks.week_ends_on, people.message_count
)

select
    week_ends_on,
    cast(message_count as integer) as message_count,
    is_over_limit,
    cast(people as bigint) as people,
    cast(several_channel_count as bigint) as several_channel_count
from final
