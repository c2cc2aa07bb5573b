with products as (
    select
        *,
        {{ json_texts(
            'attributes',
            [
                '$.size', '$.Size', '$.colour', '$.color', '$.fit', '$.material', '$.occasion', '$.for_household'
            ]
        ) }} as own
    from {{ ref('int_products_unioned') }}
),

occasions as (
    {{ occasion_words() }}
),

sales as (
    select
        lines.product_id,
        count(distinct lines.order_id) as order_count,
        sum(lines.quantity) as sold_quantity,
        sum(lines.returned_quantity) as returned_quantity,
        max(lines.ordered_at) as last_ordered_at
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ ref('fct_orders') }} as orders
        on lines.order_id = orders.order_id and lines.order_source = orders.order_source
    where orders.is_kept and not lines.is_return_line and lines.product_id is not null
    group by lines.product_id
),

final as (
    select
        products.product_id,
        products.sku,
        products.product_name,
        products.category,
        products.brand,
        products.substitute_group,
        {{ first_text([array_item('products.own', 1), array_item('products.own', 2)]) }} as size,
        {{ first_text([array_item('products.own', 3), array_item('products.own', 4)]) }} as colour,
        {{ first_text([array_item('products.own', 5)]) }} as fit,
        {{ first_text([array_item('products.own', 6)]) }} as material,
        occasions.occasion,
        {{ first_text([array_item('products.own', 8)]) }} as for_household,
        products.product_source,
        products.in_stock,
        products.price,
        products.cost,
        products.currency,
        products.replenish_after_days,
        coalesce(sales.order_count, 0) as order_count,
        coalesce(sales.sold_quantity, 0) as sold_quantity,
        coalesce(sales.returned_quantity, 0) as returned_quantity,
        sales.last_ordered_at
    from products
    left join sales on products.product_id = sales.product_id
    left join occasions on {{ word_form(array_item('products.own', 7)) }} = occasions.word
)

select * from final
