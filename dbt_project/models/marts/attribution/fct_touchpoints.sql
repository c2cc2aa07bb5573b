{#-
    What led somebody here: visits, and clicks in messages that no visit followed. Each counts for the next kept order
    of its person within the window, and after that order for none of the earlier ones.
-#}
{%- set text = dbt.type_string() %}
{%- set minute_micros = 60000000 -%}
{%- set day_micros = 86400000000 -%}

with visits as (
    select
        session_id,
        customer_id,
        marketing_channel,
        utm_campaign,
        started_at
    from {{ ref('fct_web_sessions') }}
    where is_human and customer_id is not null
),

clicks as (
    select
        message_source,
        message_id,
        customer_id,
        channel,
        campaign_name,
        clicked_at
    from {{ ref('fct_messages') }}
    where clicked_at is not null and customer_id is not null
),

-- Such a click is where the visit came from, not a second touch
followed_clicks as (
    select distinct
        clicks.message_source,
        clicks.message_id
    from clicks
    inner join visits on clicks.customer_id = visits.customer_id and clicks.channel = visits.marketing_channel
    where
        {{ epoch_micros('visits.started_at') }} between {{ epoch_micros('clicks.clicked_at') }} - {{ 5 * minute_micros }}
        and {{ epoch_micros('clicks.clicked_at') }} + {{ var('session_inactivity_minutes') * minute_micros }}
),

touches as (
    select
        {{ hash_key(["'visit'", 'session_id']) }} as touchpoint_id,
        customer_id,
        'visit' as kind,
        marketing_channel,
        nullif(trim(utm_campaign), '') as campaign,
        started_at as occurred_at
    from visits
    union all
    select
        {{ hash_key(["'click'", 'clicks.message_source', 'clicks.message_id']) }} as touchpoint_id,
        clicks.customer_id,
        'click' as kind,
        clicks.channel as marketing_channel,
        nullif(trim(clicks.campaign_name), '') as campaign,
        clicks.clicked_at as occurred_at
    from clicks
    left join followed_clicks
        on clicks.message_source = followed_clicks.message_source and clicks.message_id = followed_clicks.message_id
    where followed_clicks.message_id is null
),

orders as (
    select
        order_source,
        order_id,
        customer_id,
        ordered_at,
        row_number() over (partition by customer_id order by ordered_at, order_source, order_id) as order_number
    from {{ ref('fct_orders') }}
    where is_kept and customer_id is not null
),

happened as (
    select
        customer_id,
        occurred_at,
        touchpoint_id,
        0 as order_count
    from touches
    union all
    select
        customer_id,
        ordered_at as occurred_at,
        order_source || ':' || order_id as touchpoint_id,
        1 as order_count
    from orders
),

-- What happens in the moment of an order was before it
counted as (
    select
        touchpoint_id,
        order_count,
        cast(sum(order_count) over (
            partition by customer_id
            order by occurred_at, order_count, touchpoint_id
            rows between unbounded preceding and current row
        ) as bigint) as orders_before
    from happened
),

led_to as (
    select
        touches.*,
        counted.orders_before,
        orders.order_source,
        orders.order_id,
        orders.ordered_at
    from touches
    inner join counted on touches.touchpoint_id = counted.touchpoint_id and counted.order_count = 0
    left join orders
        on touches.customer_id = orders.customer_id and counted.orders_before + 1 = orders.order_number
),

within_window as (
    select
        *,
        {{ epoch_micros('ordered_at') }} - {{ epoch_micros('occurred_at') }}
        <= {{ var('attribution_window_days') }} * cast({{ day_micros }} as bigint) as is_within_window
    from led_to
),

spend as (
    select
        spend_key,
        spend_date,
        marketing_channel,
        campaign,
        cost_shop
    from {{ ref('fct_spend') }}
    where cost_shop is not null
),

-- What a day's campaign cost is shared by the touches that it brought that day; without a campaign, by the channel's
shares as (
    select
        touches.touchpoint_id,
        spend.cost_shop,
        cast(spend.cost_shop / count(*) over (partition by spend.spend_key) as decimal(18, 4)) as share,
        count(*) over (partition by spend.spend_key) as touch_count,
        row_number() over (
            partition by spend.spend_key
            order by touches.occurred_at, touches.touchpoint_id
        ) as share_number
    from spend
    inner join touches
        on
            spend.marketing_channel = touches.marketing_channel
            and spend.spend_date = {{ shop_date('touches.occurred_at') }}
            and coalesce(lower(spend.campaign), lower(touches.campaign), '') = coalesce(lower(touches.campaign), '')
),

costs as (
    select
        touchpoint_id,
        cast(sum(
            case when share_number = 1 then cost_shop - share * (touch_count - 1) else share end
        ) as decimal(18, 4)) as cost_shop
    from shares
    group by touchpoint_id
)

select
    within_window.touchpoint_id,
    within_window.customer_id,
    within_window.kind,
    within_window.marketing_channel,
    within_window.campaign,
    within_window.occurred_at,
    costs.cost_shop as cost,
    within_window.orders_before,
    coalesce(within_window.is_within_window, false) as is_counted,
    case when within_window.is_within_window then within_window.order_source end as order_source,
    case when within_window.is_within_window then within_window.order_id end as order_id
from within_window
left join costs on within_window.touchpoint_id = costs.touchpoint_id
