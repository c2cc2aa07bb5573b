{#- Marketing cost in the shop's currency, by the latest rate on or before its day. -#}
with spend as (
    select
        _row_id,
        spend_date,
        marketing_channel,
        campaign,
        programme,
        cost,
        -- Where none is written it is the shop's own, as in an order
        coalesce(currency, '{{ var("shop_currency") }}') as currency,
        claimed_orders,
        claimed_value
    from {{ ref('stg_spend__spend') }}
),

rates as (
    select
        spend._row_id,
        max_by(rates.rate, rates.rate_date) as rate
    from spend
    inner join {{ ref('stg_rates__rates') }} as rates
        on spend.currency = rates.currency and spend.spend_date >= rates.rate_date
    group by spend._row_id
),

known_currencies as (
    select *
    from {{ ref('currencies') }}
),

valued as (
    select
        spend.*,
        case when spend.currency = '{{ var("shop_currency") }}' then 1 else rates.rate end as rate,
        known_currencies.currency is not null as is_known_currency
    from spend
    left join rates on spend._row_id = rates._row_id
    left join known_currencies on spend.currency = known_currencies.currency
)

select
    _row_id as spend_key,
    spend_date,
    marketing_channel,
    campaign,
    programme,
    cost,
    currency,
    {{ money('cost * rate') }} as cost_shop,
    case
        when not is_known_currency then 'unknown_currency'
        when rate is null then 'missing_rate'
    end as conversion_issue,
    claimed_orders,
    claimed_value,
    {{ money('claimed_value * rate') }} as claimed_value_shop
from valued
