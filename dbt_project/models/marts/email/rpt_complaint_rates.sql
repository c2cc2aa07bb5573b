-- Complaints are counted on the day whose messages they are about: a day without messages has no rate.
{%- set domains = var('sending_domains') %}
with messages as (
    select
        {% if domains -%}
        case message_source
            {%- for source, domain in domains.items() %}
            when {{ segment_text(source) }} then {{ segment_text(domain) }}
            {%- endfor %}
            else message_source
        end
        {%- else -%}
        message_source
        {%- endif %} as sending_domain,
        {{ shop_date('sent_at') }} as sent_date,
        complained_at is not null as is_complaint
    from {{ ref('fct_messages') }}
    where channel = 'email' and bounced_at is null and failed_at is null
),

days as (
    select
        sending_domain,
        sent_date,
        count(*) as delivered_count,
        sum(case when is_complaint then 1 else 0 end) as complaint_count
    from messages
    group by sending_domain, sent_date
),

weeks as (
    select
        days.sending_domain,
        days.sent_date,
        days.delivered_count,
        days.complaint_count,
        sum(earlier.delivered_count) as week_delivered_count,
        sum(earlier.complaint_count) as week_complaint_count
    from days
    inner join days as earlier
        on
            days.sending_domain = earlier.sending_domain
            and {{ dbt.datediff('earlier.sent_date', 'days.sent_date', 'day') }} between 0 and 6
    group by days.sending_domain, days.sent_date, days.delivered_count, days.complaint_count
),

rates as (
    select
        sending_domain,
        sent_date,
        cast(delivered_count as bigint) as delivered_count,
        cast(complaint_count as bigint) as complaint_count,
        cast(1.0 * complaint_count / delivered_count as decimal(9, 5)) as complaint_rate,
        cast(week_delivered_count as bigint) as week_delivered_count,
        cast(week_complaint_count as bigint) as week_complaint_count,
        cast(1.0 * week_complaint_count / week_delivered_count as decimal(9, 5)) as week_complaint_rate
    from weeks
),

judged as (
    select
        *,
        case
            {%- for state, limit in [('held', var('complaint_hold_rate')), ('warning', var('complaint_warning_rate'))] %}
            when
                (complaint_count >= {{ var('complaint_floor') }} and complaint_rate >= {{ limit }})
                or (week_complaint_count >= {{ var('complaint_floor') }} and week_complaint_rate >= {{ limit }})
                then '{{ state }}'
            {%- endfor %}
            else 'ok'
        end as state
    from rates
),

final as (
    select
        sending_domain,
        sent_date,
        delivered_count,
        complaint_count,
        complaint_rate,
        week_delivered_count,
        week_complaint_count,
        week_complaint_rate,
        state,
        case
            when state = 'held'
                then cast(sent_date + interval '{{ var("complaint_hold_days") }}' day as date)
        end as held_until
    from judged
)

select * from final
