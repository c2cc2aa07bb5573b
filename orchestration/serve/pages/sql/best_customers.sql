-- The twenty customers who bought for the most to date.
select customer_id, first_name, last_name, email, order_count, lifetime_net_sales, last_ordered_at
from marts.dim_customers
where order_count > 0
order by lifetime_net_sales desc nulls last, order_count desc, customer_id
limit 20
