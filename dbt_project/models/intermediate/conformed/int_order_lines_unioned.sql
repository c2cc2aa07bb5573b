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

line_items as (
    select *
    from {{ ref('int_order_line_items') }}
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
        line_number,
        null as product_id,
        sku,
        product_name,
        category,
        null as brand,
        'goods' as line_kind,
        quantity,
        unit_price,
        gross_sales,
        discounts,
        returns,
        returned_quantity,
        {{ money('0') }} as other_amount,
        adjustments,
        is_return_line,
        coalesce(currency, '{{ var("shop_currency") }}') as currency,
        ordered_at
    from line_items
)

select
    *,
    {{ money('gross_sales - discounts - returns') }} as net_sales
from unioned
