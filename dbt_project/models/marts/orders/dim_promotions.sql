with promotions as (
    select * from {{ ref('int_promotion_codes') }}
),

codes as (
    select * from {{ ref('fct_order_codes') }}
),

-- A code comes again with the next promotion, so each has the orders of its own time
uses as (
    select
        promotions.promotion_code_id,
        count(*) as order_count,
        count(distinct codes.customer_id) as customer_count,
        sum(codes.net_sales_shop) as net_sales_shop,
        max(codes.ordered_at) as last_used_at
    from promotions
    inner join codes on upper(promotions.code) = codes.code
    where
        (promotions.shop_id is null or promotions.shop_id = codes.shop_id)
        and (codes.ordered_at >= promotions.starts_at or promotions.starts_at is null)
        and (codes.ordered_at < promotions.ends_at or promotions.ends_at is null)
    group by promotions.promotion_code_id
)

select
    promotions.promotion_code_id,
    promotions.promotion_source,
    promotions.promotion_id,
    promotions.shop_id,
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
from promotions
left join uses on promotions.promotion_code_id = uses.promotion_code_id
