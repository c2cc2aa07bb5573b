-- Products that people bought and nobody can buy now, those in most orders first. What that cost is
-- not known: nobody knows who would have bought them.
select product_id, product_name, category, order_count, last_ordered_at
from marts.dim_products
where order_count > 0 and not in_stock
order by order_count desc, last_ordered_at desc nulls last, product_id
limit 20
