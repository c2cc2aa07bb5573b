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
    {{ latest_rates('spend', 'spend_date', ['_row_id']) }}
),

known_currencies as (
    select *
    from {{ ref('currencies') }}
),

valued as (
    select
        spend.*,
        case when spend.currency = '{{ var("shop_currency") }}' then 1 else rates.rate end as rate,
        known_currencies.currency as known_currency
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
    {{ conversion_issue('known_currency', 'rate') }} as conversion_issue,
    claimed_orders,
    claimed_value,
    {{ money('claimed_value * rate') }} as claimed_value_shop
from valued
