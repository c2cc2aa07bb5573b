with last_orders as (
    select
        customer_id,
        last_order_id,
        last_ordered_at
    from {{ ref('fct_customer_order_summary') }}
    where last_order_id is not null
),

orders as (
    select
        last_orders.customer_id,
        orders.order_id,
        orders.order_source,
        orders.net_sales,
        orders.currency,
        orders.ordered_at
    from last_orders
    inner join {{ ref('fct_orders') }} as orders
        on
            last_orders.last_order_id = orders.order_id
            and last_orders.customer_id = orders.customer_id
),

lines as (
    select
        orders.customer_id,
        lines.product_id,
        lines.sku,
        lines.product_name,
        lines.category,
        lines.brand,
        lines.net_sales,
        lines.line_number,
        lines.order_line_id
    from {{ ref('fct_order_lines') }} as lines
    inner join orders
        on lines.order_id = orders.order_id and lines.order_source = orders.order_source
    where not lines.is_return_line and lines.quantity > 0
),

counted as (
    select
        *,
        count(*) over (partition by customer_id) as line_count
    from lines
    qualify row_number() over (
        partition by customer_id
        order by net_sales desc nulls last, line_number, order_line_id
    ) = 1
),

final as (
    select
        orders.customer_id,
        orders.order_id,
        counted.product_id,
        counted.sku,
        counted.product_name,
        counted.category,
        counted.brand,
        {{ product_in_words('counted.product_name', 'counted.sku') }}
        || case
            when counted.line_count > 1 then ' and ' || cast(counted.line_count - 1 as {{ dbt.type_string() }}) || ' more'
            else ''
        end as product_words,
        coalesce(counted.line_count, 0) as line_count,
        orders.net_sales,
        orders.currency,
        orders.ordered_at
    from orders
    left join counted on orders.customer_id = counted.customer_id
)

select * from final
