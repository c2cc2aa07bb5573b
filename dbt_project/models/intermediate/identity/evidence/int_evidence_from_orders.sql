{{ config(materialized='view') }}

with orders as (
    select *
    from {{ ref('int_orders_unioned') }}
    where not is_test
),

order_payments as (
    select *
    from {{ ref('int_order_payments') }}
),

payments as (
    select *
    from {{ ref('stg_payments__payments') }}
    where is_successful and payment_fingerprint is not null
),

completions as (
    select *
    from {{ ref('int_web_order_completions') }}
)

select
    orders.order_source as source_system,
    'order' as rule,
    case
        when order_payments.is_card_paid then 1
        when orders.sales_channel = 'store' then 4
        else 3
    end as evidence_rank,
    orders.order_id as source_record_id,
    orders.ordered_at as observed_at,
    orders.ordered_at as last_seen_at,
    1 as observation_count,
    {{ written_name('orders.first_name', 'orders.last_name') }} as person_name,
    {{ identifier_columns({
        'shopify_customer_id': 'orders.shopify_customer_id',
        'orders_customer_id': 'orders.orders_customer_id',
        'email': 'orders.email',
        'phone': 'orders.phone',
        'payment_card': 'order_payments.payment_fingerprint',
        'device': 'orders.device_id',
    }) }}
from orders
left join order_payments
    on orders.order_id = order_payments.order_id and orders.order_source = order_payments.order_source
union all
-- The cardholder's address stands beside the card, not beside the order's address: they may differ
select
    'payments' as source_system,
    'payment' as rule,
    1 as evidence_rank,
    payments.order_id as source_record_id,
    payments.paid_at as observed_at,
    payments.paid_at as last_seen_at,
    1 as observation_count,
    payments.billing_name as person_name,
    {{ identifier_columns({'email': 'payments.billing_email', 'payment_card': 'payments.payment_fingerprint'}) }}
from payments
where payments.paid_at is not null
union all
select
    'web' as source_system,
    'order_completed' as rule,
    3 as evidence_rank,
    completions.event_id as source_record_id,
    completions.occurred_at as observed_at,
    completions.occurred_at as last_seen_at,
    1 as observation_count,
    {{ written_name('orders.first_name', 'orders.last_name') }} as person_name,
    {{ identifier_columns({
        'shopify_customer_id': 'orders.shopify_customer_id',
        'orders_customer_id': 'orders.orders_customer_id',
        'login': 'completions.login_id',
        'email': 'orders.email',
        'phone': 'orders.phone',
        'device': 'completions.device_id',
    }) }}
from completions
inner join orders on completions.order_id = orders.order_id
