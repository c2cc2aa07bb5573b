with lines as (
    select
        lines.customer_id,
        lines.product_id,
        lines.product_name,
        lines.category,
        lines.brand,
        lines.quantity - coalesce(lines.returned_quantity, 0) as kept_quantity,
        lines.ordered_at
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ ref('fct_orders') }} as orders
        on lines.order_id = orders.order_id and lines.order_source = orders.order_source
    where orders.is_kept and lines.customer_id is not null and not lines.is_return_line
),

{%- for thing in ['product_id', 'category', 'brand'] %}
every_{{ thing }} as (
    select
        customer_id,
        {{ thing }},
        max(product_name) as product_name,
        count(*) as line_count,
        sum(kept_quantity) as piece_count,
        max(ordered_at) as last_ordered_at
    from lines
    where {{ thing }} is not null
    group by customer_id, {{ thing }}
),

by_{{ thing }} as (
    select
        customer_id,
        {{ thing }},
        product_name
    from every_{{ thing }}
    where piece_count > 0
    -- What stands on most order lines, then most of, then last.
    qualify row_number() over (
        partition by customer_id
        order by line_count desc, piece_count desc, last_ordered_at desc, {{ thing }}
    ) = 1
),
{%- endfor %}

people as (
    select distinct customer_id from lines
),

final as (
    select
        people.customer_id,
        by_product_id.product_id as favourite_product_id,
        by_product_id.product_name as favourite_product_name,
        by_category.category as favourite_category,
        by_brand.brand as favourite_brand
    from people
    left join by_product_id on people.customer_id = by_product_id.customer_id
    left join by_category on people.customer_id = by_category.customer_id
    left join by_brand on people.customer_id = by_brand.customer_id
)

select * from final
