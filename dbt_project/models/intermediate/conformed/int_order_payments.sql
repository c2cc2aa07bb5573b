{#- Which card paid an order, and whether a card did at all. Shopify's API gives no fingerprint, only
    that a card transaction succeeded; a payment provider's export gives both. -#}
with orders as (
    select *
    from {{ ref('int_orders_unioned') }}
),

payments as (
    select
        order_id,
        min(payment_fingerprint) as payment_fingerprint,
        bool_or(payment_fingerprint is not null or card_gateways.gateway is not null) as is_by_card
    from {{ ref('stg_payments__payments') }} as payments
    left join {{ ref('card_gateways') }} as card_gateways on payments.provider = card_gateways.gateway
    where is_successful
    group by order_id
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
