{#- The rate of each foreign order's currency: the latest on or before its day. -#}
with order_days as (
    select distinct
        currency,
        {{ shop_date('ordered_at') }} as ordered_date
    from {{ ref('int_orders_unioned') }}
    where currency <> '{{ var("shop_currency") }}'
),

rates as (
    select *
    from {{ ref('stg_rates__rates') }}
),

known_currencies as (
    select *
    from {{ ref('currencies') }}
),

latest_rates as (
    select
        order_days.currency,
        order_days.ordered_date,
        max_by(rates.rate, rates.rate_date) as rate
    from order_days
    inner join rates
        on order_days.currency = rates.currency and order_days.ordered_date >= rates.rate_date
    group by order_days.currency, order_days.ordered_date
)

select
    order_days.currency,
    order_days.ordered_date,
    latest_rates.rate,
    case
        when known_currencies.currency is null then 'unknown_currency'
        when latest_rates.rate is null then 'missing_rate'
    end as conversion_issue
from order_days
left join latest_rates
    on
        order_days.currency = latest_rates.currency
        and order_days.ordered_date = latest_rates.ordered_date
left join known_currencies on order_days.currency = known_currencies.currency
