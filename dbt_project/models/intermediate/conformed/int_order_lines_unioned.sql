with items as (
    select *
    from {{ ref('int_order_items') }}
),

item_returns as (
    select *
    from {{ ref('int_order_returns') }}
),

documents as (
    select *
    from {{ ref('int_order_documents') }}
),

line_orders as (
    select
        order_id,
        currency
    from {{ ref('int_order_line_orders') }}
    -- An order that came as JSON too is told better there
    where document_order_id is null
),

lines_valued as (
    select
        lines.*,
        line_orders.currency as order_currency,
        -- Multiplied before it is rounded: a price per gram has more digits than money
        {{ money('round(lines.quantity * lines.unit_price, 4)') }} as line_value
    from {{ ref('stg_orders__order_lines') }} as lines
    inner join line_orders on lines.order_id = line_orders.order_id
),

unioned as (
    select
        items.order_id,
        items.order_source,
        items.line_id,
        items.line_number,
        items.product_id,
        items.sku,
        items.product_name,
        items.category,
        items.brand,
        items.line_kind,
        items.quantity,
        items.unit_price,
        items.gross_sales,
        items.discounts,
        coalesce(item_returns.returns, 0) as returns,
        coalesce(item_returns.returned_quantity, 0) as returned_quantity,
        items.other_amount,
        items.adjustments,
        false as is_return_line,
        coalesce(documents.currency, '{{ var("shop_currency") }}') as currency,
        documents.ordered_at
    from items
    inner join documents on items.order_id = documents.order_id
    left join item_returns
        on
            items.order_id = item_returns.order_id
            and items.line_id = item_returns.line_id
            and items.line_number = item_returns.line_number
    union all
    select
        order_id,
        'order_lines' as order_source,
        line_id,
        row_number() over (partition by order_id order by ordered_at, line_id) as line_number,
        null as product_id,
        sku,
        product_name,
        category,
        null as brand,
        'goods' as line_kind,
        quantity,
        unit_price,
        case when is_return_line or is_adjustment then {{ money('0') }} else line_value end as gross_sales,
        {{ money('0') }} as discounts,
        case when is_return_line then {{ money('abs(line_value)') }} else {{ money('0') }} end as returns,
        case when is_return_line then abs(quantity) else {{ money('0') }} end as returned_quantity,
        {{ money('0') }} as other_amount,
        case when is_adjustment then line_value else {{ money('0') }} end as adjustments,
        is_return_line,
        coalesce(order_currency, '{{ var("shop_currency") }}') as currency,
        ordered_at
    from lines_valued
)

select
    *,
    {{ money('gross_sales - discounts - returns') }} as net_sales
from unioned
