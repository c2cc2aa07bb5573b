with orders as (
    select
        order_source,
        order_id,
        shop_id,
        customer_id,
        net_sales_shop,
        ordered_at,
        {{ text_parts('discount_code', ',') }} as code
    from {{ ref('fct_orders') }}
    where discount_code is not null and is_kept
),

-- Shopify takes a code in any case, and an order may say it twice
final as (
    select distinct
        {{ hash_key(['order_source', 'order_id', 'upper(trim(code))']) }} as order_code_id,
        order_source,
        order_id,
        shop_id,
        customer_id,
        upper(trim(code)) as code,
        net_sales_shop,
        ordered_at
    from orders
    where trim(code) <> ''
)

select * from final
