with lines as (
    select
        *,
        row_number() over (partition by order_source, order_id, line_id order by line_number) as occurrence
    from {{ ref('int_order_lines_unioned') }}
),

orders as (
    select *
    from {{ ref('int_orders_resolved') }}
),

conversions as (
    select *
    from {{ ref('int_order_conversions') }}
),

product_keys as (
    select *
    from {{ ref('int_product_keys') }}
),

products as (
    select *
    from {{ ref('int_products_unioned') }}
)

select
    -- An order may give two of its lines one id: the first keeps it, the others have their number too
    case
        when lines.occurrence = 1 then {{ hash_key(['lines.order_source', 'lines.order_id', 'lines.line_id']) }}
        else {{ hash_key(['lines.order_source', 'lines.order_id', 'lines.line_id', 'lines.line_number']) }}
    end as order_line_id,
    lines.order_id,
    lines.order_source,
    orders.customer_id,
    lines.line_number,
    product_keys.product_id,
    lines.sku,
    coalesce(lines.product_name, products.product_name) as product_name,
    coalesce(lines.category, products.category) as category,
    coalesce(lines.brand, products.brand) as brand,
    lines.line_kind,
    lines.quantity,
    lines.unit_price,
    lines.gross_sales,
    lines.discounts,
    -- Where a refund is unknown, so is which lines it left what of
    case when not orders.is_refund_unknown then lines.returns end as returns,
    case when not orders.is_refund_unknown then lines.net_sales end as net_sales,
    lines.returned_quantity,
    lines.other_amount,
    lines.adjustments,
    lines.currency,
    case
        when orders.is_refund_unknown then null
        when lines.currency = '{{ var("shop_currency") }}' then lines.net_sales
        else {{ money('lines.net_sales * conversions.rate') }}
    end as net_sales_shop,
    lines.is_return_line,
    lines.ordered_at
from lines
inner join orders on lines.order_id = orders.order_id and lines.order_source = orders.order_source
left join conversions
    on lines.currency = conversions.currency and orders.ordered_date = conversions.ordered_date
left join product_keys
    on
        coalesce(lines.product_id, '') = product_keys.line_product_id
        and coalesce(lines.sku, '') = product_keys.line_sku
left join products on product_keys.product_id = products.product_id
