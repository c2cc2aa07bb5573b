select
    spend_key,
    spend_date,
    marketing_channel,
    campaign,
    programme,
    cost,
    currency,
    cost_shop,
    '{{ var("shop_currency") }}' as shop_currency,
    conversion_issue,
    claimed_orders,
    claimed_value,
    claimed_value_shop
from {{ ref('int_spend_resolved') }}
