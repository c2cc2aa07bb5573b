{{ config(severity='warn') }}
-- An order's lines add up to its gross sales; an order-level adjustment would show here.
with lines as (
    select
        order_id,
        order_source,
        sum(gross_sales) as gross_sales
    from {{ ref('fct_order_lines') }}
    group by order_id, order_source
)

select orders.order_id
from {{ ref('fct_orders') }} as orders
inner join lines on orders.order_id = lines.order_id and orders.order_source = lines.order_source
where abs(orders.gross_sales - lines.gross_sales) > 0.01
