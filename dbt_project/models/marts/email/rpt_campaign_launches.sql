{#-
    Before and after the launch of each campaign: the same people in equal windows of whole days, against what everybody
    else's orders came to in the same two windows. It proves no cause: who is written to is chosen, and only people held
    out say what would have been without (rpt_experiments). The day of the launch is the first one after.
-#}
{%- set money = 'decimal(18, 4)' %}

with sent as (
    select
        channel,
        campaign_id,
        campaign_name,
        customer_id,
        {{ shop_date('sent_at') }} as sent_on
    from {{ ref('fct_messages') }}
    where
        campaign_id is not null
        and flow_id is null
        and customer_id is not null
        and sent_at < {{ as_of() }}
        and failed_at is null
        and bounced_at is null
),

launched as (
    select
        channel,
        campaign_id,
        max(campaign_name) as campaign_name,
        min(sent_on) as launched_on
    from sent
    group by channel, campaign_id
),

-- Of a campaign that is younger, the time before is as short as that after; of one of today there is none
launches as (
    select
        *,
        least({{ var('campaign_days') }}, {{ dbt.datediff('launched_on', as_of_date(), 'day') }}) as window_days
    from launched
    where launched_on < {{ as_of_date() }}
),

recipients as (
    select distinct
        launches.channel,
        launches.campaign_id,
        launches.launched_on,
        launches.window_days,
        sent.customer_id
    from launches
    inner join sent on launches.channel = sent.channel and launches.campaign_id = sent.campaign_id
    where {{ dbt.datediff('launches.launched_on', 'sent.sent_on', 'day') }} < {{ var('campaign_launch_days') }}
),

-- The same people before and after: who came in the meantime could not have ordered before
people as (
    select recipients.*
    from recipients
    inner join {{ ref('dim_customers') }} as customers on recipients.customer_id = customers.customer_id
    where
        {{ dbt.datediff(shop_date('customers.first_seen_at'), 'recipients.launched_on', 'day') }}
        >= recipients.window_days
),

people_counts as (
    select
        channel,
        campaign_id,
        count(*) as people_count
    from people
    group by channel, campaign_id
),

orders as (
    select
        customer_id,
        ordered_date,
        net_sales_shop
    from {{ ref('fct_orders') }}
    where is_kept
),

days as (
    select
        ordered_date,
        count(*) as order_count,
        count(net_sales_shop) as rated_count,
        sum(net_sales_shop) as net_sales
    from orders
    group by ordered_date
),

of_people as (
    select
        people.channel,
        people.campaign_id,
        {%- for window, begins in [('before', '<'), ('after', '>=')] %}
        count(case when orders.ordered_date {{ begins }} people.launched_on then 1 end) as orders_{{ window }},
        sum(case when orders.ordered_date {{ begins }} people.launched_on then orders.net_sales_shop end)
            as net_sales_{{ window }},
        {%- endfor %}
        count(*) - count(orders.net_sales_shop) as unrated_count
    from people
    inner join orders on people.customer_id = orders.customer_id
    where
        {{ dbt.datediff('people.launched_on', 'orders.ordered_date', 'day') }} >= -people.window_days
        and {{ dbt.datediff('people.launched_on', 'orders.ordered_date', 'day') }} < people.window_days
    group by people.channel, people.campaign_id
),

of_recipients as (
    select
        recipients.channel,
        recipients.campaign_id,
        {%- for window, begins in [('before', '<'), ('after', '>=')] %}
        sum(case when orders.ordered_date {{ begins }} recipients.launched_on then orders.net_sales_shop end)
            as net_sales_{{ window }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from recipients
    inner join orders on recipients.customer_id = orders.customer_id
    where
        {{ dbt.datediff('recipients.launched_on', 'orders.ordered_date', 'day') }} >= -recipients.window_days
        and {{ dbt.datediff('recipients.launched_on', 'orders.ordered_date', 'day') }} < recipients.window_days
    group by recipients.channel, recipients.campaign_id
),

of_everybody as (
    select
        launches.channel,
        launches.campaign_id,
        {%- for window, begins in [('before', '<'), ('after', '>=')] %}
        sum(case when days.ordered_date {{ begins }} launches.launched_on then days.net_sales end) as net_sales_{{ window }},
        {%- endfor %}
        sum(days.order_count - days.rated_count) as unrated_count
    from launches
    cross join days
    where
        {{ dbt.datediff('launches.launched_on', 'days.ordered_date', 'day') }} >= -launches.window_days
        and {{ dbt.datediff('launches.launched_on', 'days.ordered_date', 'day') }} < launches.window_days
    group by launches.channel, launches.campaign_id
),

beside as (
    select
        launches.channel,
        launches.campaign_id,
        launches.campaign_name,
        launches.launched_on,
        launches.window_days,
        coalesce(people_counts.people_count, 0) as people_count,
        coalesce(of_people.unrated_count, 0) > 0 as is_unrated,
        coalesce(of_everybody.unrated_count, 0) > 0 as is_trend_unrated,
        {%- for window in ['before', 'after'] %}
        coalesce(of_people.orders_{{ window }}, 0) as orders_{{ window }},
        coalesce(of_people.net_sales_{{ window }}, 0) as net_sales_{{ window }},
        coalesce(of_everybody.net_sales_{{ window }}, 0) - coalesce(of_recipients.net_sales_{{ window }}, 0)
            as others_net_sales_{{ window }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from launches
    {%- for part in ['people_counts', 'of_people', 'of_recipients', 'of_everybody'] %}
    left join {{ part }}
        on launches.channel = {{ part }}.channel and launches.campaign_id = {{ part }}.campaign_id
    {%- endfor %}
),

judged as (
    select
        *,
        case
            when people_count = 0 then 'nobody_known_before'
            when is_unrated or is_trend_unrated then 'missing_rate'
            when others_net_sales_before <= 0 then 'nothing_before'
        end as null_reason
    from beside
)

select
    {{ hash_key(['channel', 'campaign_id']) }} as campaign_launch_id,
    channel,
    campaign_id,
    campaign_name,
    launched_on,
    window_days,
    window_days = {{ var('campaign_days') }} as is_complete,
    people_count,
    orders_before,
    orders_after,
    {%- for window in ['before', 'after'] %}
    case when not is_unrated then cast(net_sales_{{ window }} as {{ money }}) end as net_sales_{{ window }},
    {%- endfor %}
    {%- for window in ['before', 'after'] %}
    case when not is_trend_unrated then cast(others_net_sales_{{ window }} as {{ money }}) end
        as others_net_sales_{{ window }},
    {%- endfor %}
    case
        when null_reason is null then cast(others_net_sales_after as double) / cast(others_net_sales_before as double)
    end as others_trend,
    case
        when null_reason is null
            then cast(
                cast(net_sales_after as double)
                - cast(net_sales_before as double)
                * cast(others_net_sales_after as double) / cast(others_net_sales_before as double) as {{ money }}
            )
    end as change_beyond_trend,
    '{{ var("shop_currency") }}' as currency,
    null_reason
from judged
