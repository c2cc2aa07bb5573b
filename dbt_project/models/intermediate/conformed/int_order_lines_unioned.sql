with items as (
    select *
    from {{ ref('int_order_items') }}
),

documents as (
    select *
    from {{ ref('int_order_documents') }}
),

-- An order that came as JSON too is told better there
lines as (
    select *
    from {{ ref('stg_orders__order_lines') }}
    where order_id not in (select order_id from {{ ref('int_order_versions') }})
),

lines_valued as (
    select
        *,
        {{ money('quantity * unit_price') }} as line_value
    from lines
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
        items.quantity,
        items.unit_price,
        items.gross_sales,
        items.discounts,
        items.returns,
        items.returned_quantity,
        items.adjustments,
        false as is_return_line,
        coalesce(documents.currency, '{{ var("shop_currency") }}') as currency,
        documents.ordered_at
    from items
    inner join documents on items.order_id = documents.order_id
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
        quantity,
        unit_price,
        case when is_return_line or is_adjustment then {{ money('0') }} else line_value end as gross_sales,
        {{ money('0') }} as discounts,
        case when is_return_line then {{ money('abs(line_value)') }} else {{ money('0') }} end as returns,
        case when is_return_line then abs(quantity) else {{ money('0') }} end as returned_quantity,
        case when is_adjustment then line_value else {{ money('0') }} end as adjustments,
        is_return_line,
        coalesce(currency, '{{ var("shop_currency") }}') as currency,
        ordered_at
    from lines_valued
)

select
    *,
    {{ money('gross_sales - discounts - returns') }} as net_sales
from unioned
