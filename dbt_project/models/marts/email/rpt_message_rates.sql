{#-
    How messages do by month, channel, kind and where the reader was won. Machines' openings and clicks are apart, and
    an order counts for the last message that was clicked within so many days before it.
-#}
{%- set text = dbt.type_string() %}
{%- set day_micros = 86400000000 -%}

with messages as (
    select
        message_source,
        message_id,
        customer_id,
        channel,
        coalesce(message_kind, 'other') as message_kind,
        sent_at,
        delivered_at,
        opened_at,
        machine_opened_at,
        clicked_at,
        unsubscribed_at,
        complained_at,
        is_hard_bounce
    from {{ ref('fct_messages') }}
    where sent_at is not null
),

-- Where somebody's first permission for the channel came from
permissions as (
    select
        customer_id,
        channel,
        source
    from {{ ref('contactability') }}
    where purpose = 'marketing' and source is not null
    qualify row_number() over (
        partition by customer_id, channel
        order by requested_at nulls last, source
    ) = 1
),

orders as (
    select
        order_source,
        order_id,
        customer_id,
        net_sales_shop,
        {{ epoch_micros('ordered_at') }} as ordered_micros
    from {{ ref('fct_orders') }}
    where is_kept and customer_id is not null
),

bought as (
    select
        messages.message_source,
        messages.message_id,
        orders.net_sales_shop
    from messages
    inner join orders on messages.customer_id = orders.customer_id
    where
        messages.clicked_at is not null
        and orders.ordered_micros between {{ epoch_micros('messages.clicked_at') }}
        and {{ epoch_micros('messages.clicked_at') }} + {{ var('message_order_days') }} * cast({{ day_micros }} as bigint)
    qualify row_number() over (
        partition by orders.order_source, orders.order_id
        order by messages.clicked_at desc, messages.message_source, messages.message_id
    ) = 1
),

transactions as (
    select
        message_source,
        message_id,
        count(*) as order_count,
        sum(net_sales_shop) as net_sales
    from bought
    group by message_source, message_id
),

counted as (
    select
        {{ month_of(shop_date('messages.sent_at')) }} as sent_month,
        messages.channel,
        messages.message_kind,
        coalesce(permissions.source, 'unknown') as subscriber_source,
        count(*) as sent_count,
        count(messages.delivered_at) as delivered_count,
        count(messages.opened_at) as opened_count,
        sum(case when messages.opened_at is null and messages.machine_opened_at is not null then 1 else 0 end)
            as machine_opened_count,
        count(messages.clicked_at) as clicked_count,
        sum(case when messages.opened_at is not null and messages.clicked_at is not null then 1 else 0 end)
            as opened_and_clicked_count,
        count(messages.unsubscribed_at) as unsubscribed_count,
        count(messages.complained_at) as complained_count,
        sum(case when messages.is_hard_bounce then 1 else 0 end) as hard_bounce_count,
        coalesce(sum(transactions.order_count), 0) as order_count,
        coalesce(sum(transactions.net_sales), 0) as net_sales
    from messages
    left join permissions
        on messages.customer_id = permissions.customer_id and messages.channel = permissions.channel
    left join transactions
        on messages.message_source = transactions.message_source and messages.message_id = transactions.message_id
    group by
        {{ month_of(shop_date('messages.sent_at')) }},
        messages.channel,
        messages.message_kind,
        coalesce(permissions.source, 'unknown')
)

select
    {{ hash_key(['sent_month', 'channel', 'message_kind', 'subscriber_source']) }} as message_rate_id,
    sent_month,
    channel,
    message_kind,
    subscriber_source,
    sent_count,
    delivered_count,
    opened_count,
    machine_opened_count,
    clicked_count,
    unsubscribed_count,
    complained_count,
    hard_bounce_count,
    cast(order_count as bigint) as order_count,
    cast(net_sales as decimal(18, 4)) as net_sales,
    case when delivered_count > 0 then cast(opened_count as double) / delivered_count end as open_rate,
    case when delivered_count > 0 then cast(clicked_count as double) / delivered_count end as click_rate,
    case when opened_count > 0 then cast(opened_and_clicked_count as double) / opened_count end as click_to_open_rate,
    case when delivered_count > 0 then cast(order_count as double) / delivered_count end as order_rate
from counted
