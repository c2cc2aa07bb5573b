-- A buyer is in purchase or advocacy, whatever they put in the cart since; nobody else is.
select customers.customer_id
from {{ ref('dim_customers') }} as customers
inner join {{ ref('fct_customer_journey_stages') }} as stages
    on customers.customer_id = stages.customer_id and stages.is_current
where (customers.order_count > 0) <> (stages.stage in ('purchase', 'advocacy'))
