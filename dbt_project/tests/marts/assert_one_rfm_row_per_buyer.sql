-- Every buyer stands once in today's RFM with the order count and value of the customer table.
select coalesce(customers.customer_id, rfm.customer_id) as customer_id
from (
    select * from {{ ref('dim_customers') }}
    where order_count > 0
) as customers
full outer join (
    select * from {{ ref('fct_customer_rfm') }}
    where is_current
) as rfm on customers.customer_id = rfm.customer_id
where
    customers.customer_id is null
    or rfm.customer_id is null
    or customers.order_count <> rfm.frequency
    or customers.lifetime_net_sales is distinct from rfm.monetary
