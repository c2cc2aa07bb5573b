{#- The rate of each foreign currency of an order or of what its goods cost: the latest on or before its day. -#}
with orders as (
    select distinct
        currency,
        {{ shop_date('ordered_at') }} as ordered_date
    from {{ ref('int_orders_unioned') }}
),

cost_currencies as (
    select distinct currency
    from {{ ref('int_product_costs') }}
),

all_days as (
    select *
    from orders
    union
    select
        cost_currencies.currency,
        orders.ordered_date
    from orders
    cross join cost_currencies
),

order_days as (
    select *
    from all_days
    where currency <> '{{ var("shop_currency") }}'
),

known_currencies as (
    select *
    from {{ ref('currencies') }}
),

latest_rates as (
    {{ latest_rates('order_days', 'ordered_date', ['currency', 'ordered_date']) }}
)

select
    order_days.currency,
    order_days.ordered_date,
    latest_rates.rate,
    {{ conversion_issue('known_currencies.currency', 'latest_rates.rate') }} as conversion_issue
from order_days
left join latest_rates
    on
        order_days.currency = latest_rates.currency
        and order_days.ordered_date = latest_rates.ordered_date
left join known_currencies on order_days.currency = known_currencies.currency
