{#- Which card paid an order, and whether a card did at all. Shopify's API gives no fingerprint, only
    that a card transaction succeeded; a payment provider's export gives both. A payment names its order by
    the id, at its word, or by a name or number, if just one order that was placed within a day of it has it. -#}
with orders as (
    select *
    from {{ ref('int_orders_unioned') }}
),

succeeded as (
    select
        *,
        {{ order_call('order_id') }} as order_call
    from {{ ref('stg_payments__payments') }}
    where is_successful
),

candidates as (
    select
        succeeded._row_id,
        orders.order_id,
        true as is_id
    from succeeded
    inner join orders on succeeded.order_id = orders.order_id
    union all
    select
        succeeded._row_id,
        names.order_id,
        false as is_id
    from succeeded
    inner join {{ ref('int_order_names') }} as names on succeeded.order_call = names.order_call
    where abs({{ epoch_micros('succeeded.paid_at') }} - {{ epoch_micros('names.ordered_at') }}) <= 86400000000
),

payment_orders as (
    select
        _row_id,
        case
            when bool_or(is_id) then min(order_id) filter (where is_id)
            when min(order_id) = max(order_id) then min(order_id)
        end as order_id
    from candidates
    group by _row_id
),

payments as (
    select
        payment_orders.order_id,
        min(succeeded.payment_fingerprint) as payment_fingerprint,
        bool_or(succeeded.payment_fingerprint is not null or card_gateways.gateway is not null) as is_by_card
    from succeeded
    inner join payment_orders on succeeded._row_id = payment_orders._row_id
    left join {{ ref('card_gateways') }} as card_gateways on succeeded.provider = card_gateways.gateway
    group by payment_orders.order_id
),

written_gateways as (
    select distinct payment_gateways
    from orders
    where payment_gateways is not null
),

gateways as (
    select
        written_gateways.payment_gateways,
        bool_or(card_gateways.gateway is not null) as is_by_card
    from written_gateways
    left join {{ ref('card_gateways') }} as card_gateways
        on {{ dbt.position('card_gateways.gateway', 'written_gateways.payment_gateways') }} > 0
    group by written_gateways.payment_gateways
)

select
    orders.order_id,
    orders.order_source,
    coalesce(orders.payment_fingerprint, payments.payment_fingerprint) as payment_fingerprint,
    coalesce(
        orders.financial_status in ('paid', 'partially_paid', 'partially_refunded', 'refunded')
        and not orders.is_return_document
        and (
            orders.has_card_payment
            or orders.payment_fingerprint is not null
            or coalesce(payments.is_by_card, false)
            or coalesce(gateways.is_by_card, false)
        ),
        false
    ) as is_card_paid
from orders
left join payments on orders.order_id = payments.order_id
left join gateways on orders.payment_gateways = gateways.payment_gateways
