with orders as (
    select
        customer_id,
        net_sales_shop,
        ordered_at,
        {{ text_parts('discount_code', ',') }} as code
    from {{ ref('fct_orders') }}
    where discount_code is not null and is_kept
),

-- Shopify takes a code in any case
uses as (
    select
        upper(trim(code)) as code,
        count(*) as order_count,
        count(distinct customer_id) as customer_count,
        sum(net_sales_shop) as net_sales_shop,
        max(ordered_at) as last_used_at
    from orders
    group by upper(trim(code))
)

select
    promotions.promotion_code_id,
    promotions.promotion_source,
    promotions.promotion_id,
    promotions.code,
    promotions.promotion_name,
    promotions.discount_kind,
    promotions.percent_off,
    promotions.amount_off,
    promotions.currency,
    promotions.category,
    promotions.product_id,
    promotions.for_segment,
    promotions.status,
    promotions.code_count,
    promotions.voucher_count,
    promotions.redeemed_count,
    coalesce(uses.order_count, 0) as order_count,
    coalesce(uses.customer_count, 0) as customer_count,
    cast(uses.net_sales_shop as decimal(18, 4)) as net_sales_shop,
    promotions.starts_at,
    promotions.ends_at,
    uses.last_used_at
from {{ ref('int_promotion_codes') }} as promotions
left join uses on upper(promotions.code) = uses.code
