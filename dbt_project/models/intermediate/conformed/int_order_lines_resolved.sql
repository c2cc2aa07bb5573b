{#- Lines with their order, their product, and what their goods cost at the time. -#}
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
),

costs as (
    select *
    from {{ ref('int_product_costs') }}
),

only_variants as (
    select *
    from costs
    where is_only_variant
),

resolved as (
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
        lines.ordered_at,
        -- The variant's own cost; of a product with one variant that one's
        case when lines.line_kind = 'goods' then coalesce(own_costs.cost, only_costs.cost) end as unit_cost,
        coalesce(own_costs.currency, only_costs.currency) as cost_currency,
        coalesce(own_costs.valid_from, only_costs.valid_from) as cost_valid_from,
        -- What came back stands in the shop again; a correction of the books moved nothing
        case
            when lines.adjustments <> 0 then 0
            when lines.is_return_line then -lines.returned_quantity
            else lines.quantity - lines.returned_quantity
        end as pieces_gone,
        orders.ordered_date
    from lines
    inner join orders on lines.order_id = orders.order_id and lines.order_source = orders.order_source
    left join conversions
        on lines.currency = conversions.currency and orders.ordered_date = conversions.ordered_date
    left join product_keys
        on
            coalesce(lines.product_id, '') = product_keys.line_product_id
            and coalesce(lines.sku, '') = product_keys.line_sku
    left join products on product_keys.product_id = products.product_id
    left join costs as own_costs
        on
            product_keys.product_id = own_costs.product_id
            and lines.sku = own_costs.sku
            and lines.ordered_at >= own_costs.counts_from
            and lines.ordered_at < own_costs.counts_until
    left join only_variants as only_costs
        on
            product_keys.product_id = only_costs.product_id
            and lines.ordered_at >= only_costs.counts_from
            and lines.ordered_at < only_costs.counts_until
),

costed as (
    select
        resolved.*,
        case
            when resolved.cost_currency = '{{ var("shop_currency") }}' then resolved.unit_cost
            else {{ money('resolved.unit_cost * conversions.rate') }}
        end as unit_cost_shop
    from resolved
    left join conversions
        on resolved.cost_currency = conversions.currency and resolved.ordered_date = conversions.ordered_date
)

select
    order_line_id,
    order_id,
    order_source,
    customer_id,
    line_number,
    product_id,
    sku,
    product_name,
    category,
    brand,
    line_kind,
    quantity,
    unit_price,
    gross_sales,
    discounts,
    returns,
    net_sales,
    returned_quantity,
    other_amount,
    adjustments,
    currency,
    net_sales_shop,
    unit_cost_shop,
    case
        when unit_cost_shop is null then null
        when cost_valid_from is null then 'undated'
        when cost_valid_from <= ordered_at then 'at_order'
        else 'first_known'
    end as cost_basis,
    {{ money('round(unit_cost_shop * pieces_gone, 4)') }} as cost_shop,
    case when line_kind = 'goods' then {{ money('net_sales_shop - round(unit_cost_shop * pieces_gone, 4)') }} end
        as margin_shop,
    is_return_line,
    ordered_at
from costed
