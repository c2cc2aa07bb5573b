{#-
    What the senders of messages would claim by their own rules: a whole order for the last message that was opened or
    clicked within so many hours before it. A rival to the attribution, and no part of it.
-#}
{%- set hour_micros = 3600000000 -%}
{%- set hours = var('sender_claim_hours') -%}

with orders as (
    select
        order_source,
        order_id,
        customer_id,
        ordered_at,
        ordered_date,
        net_sales_shop,
        {{ epoch_micros('ordered_at') }} as ordered_micros
    from {{ ref('fct_orders') }}
    where is_kept and customer_id is not null
),

-- Senders count a machine's opening like a person's
reactions as (
    select
        customer_id,
        channel,
        campaign_name,
        message_source,
        message_id,
        case channel
            when 'email' then coalesce(clicked_at, opened_at, machine_opened_at)
            else coalesce(clicked_at, delivered_at, sent_at)
        end as reacted_at,
        case channel
            {%- for channel, length in hours.items() | sort %}
            when '{{ channel }}'
                then {{ length }} * cast({{ hour_micros }} as bigint)
            {%- endfor %}
        end as claim_micros
    from {{ ref('fct_messages') }}
    where customer_id is not null and channel in ('email', 'push', 'sms')
),

claims as (
    select
        orders.order_source,
        orders.order_id,
        orders.ordered_date,
        orders.net_sales_shop,
        reactions.channel,
        nullif(trim(reactions.campaign_name), '') as campaign
    from orders
    inner join reactions on orders.customer_id = reactions.customer_id
    where
        reactions.reacted_at <= orders.ordered_at
        and orders.ordered_micros - {{ epoch_micros('reactions.reacted_at') }} <= reactions.claim_micros
    qualify row_number() over (
        partition by orders.order_source, orders.order_id, reactions.channel
        order by reactions.reacted_at desc, reactions.message_source, reactions.message_id
    ) = 1
),

final as (
    select
        ordered_date as report_date,
        channel as marketing_channel,
        campaign,
        count(*) as claimed_orders,
        cast(sum(net_sales_shop) as decimal(18, 4)) as claimed_value
    from claims
    group by ordered_date, channel, campaign
)

select
    {{ hash_key(['report_date', 'marketing_channel', 'campaign']) }} as sender_claim_id,
    report_date,
    marketing_channel,
    campaign,
    claimed_orders,
    claimed_value
from final
