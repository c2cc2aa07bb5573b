-- What people are worth is what their orders brought, neither more nor less, person by person.
with orders as (
    select
        customer_id,
        sum(net_sales_shop) as net_sales,
        count(*) filter (where is_kept) as order_count
    from {{ ref('fct_orders') }}
    where customer_id is not null and is_counted
    group by customer_id
    having count(*) = count(net_sales_shop)
)

select coalesce(customers.customer_id, orders.customer_id) as customer_id
from orders
full outer join (
    select * from {{ ref('dim_customers') }}
    where lifetime_net_sales_issue is null
) as customers on orders.customer_id = customers.customer_id
where
    coalesce(orders.net_sales, 0) <> coalesce(customers.lifetime_net_sales, 0)
    or coalesce(orders.order_count, 0) <> coalesce(customers.order_count, 0)
