{#- Vouchers that name their owner. -#}
with vouchers as (
    select *
    from {{ ref('stg_promotions__promotions') }}
    where orders_customer_id is not null or identifier_value is not null
),

customers as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
)

select
    vouchers._row_id as voucher_key,
    coalesce(by_number.customer_id, named.customer_id) as customer_id,
    vouchers.promotion_id,
    vouchers.promotion_name,
    nullif(trim(vouchers.code), '') as code,
    vouchers.category,
    vouchers.product_id,
    vouchers.value_percent,
    vouchers.value_amount,
    vouchers.currency,
    vouchers.issued_at,
    coalesce(vouchers.starts_at, vouchers.issued_at) as valid_from,
    -- An owner's own last day is the voucher's
    coalesce(vouchers.valid_until, vouchers.ends_at) as valid_until,
    vouchers.redeemed_at,
    vouchers.redeemed_order_id
from vouchers
left join customers as by_number
    on vouchers.orders_customer_id = by_number.raw_value and by_number.identifier_type = 'orders_customer_id'
left join customers as named
    on vouchers.identifier_value = named.raw_value and vouchers.identifier_type = named.identifier_type
