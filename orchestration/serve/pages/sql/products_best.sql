-- The products in most kept orders: pieces sold and how many of them came back, all time, and
-- whether they can be bought now.
select product_id, product_name, category, brand, order_count, sold_quantity, returned_quantity,
    (returned_quantity / nullif(sold_quantity, 0))::double as return_rate, in_stock, last_ordered_at
from marts.dim_products
where order_count > 0
order by order_count desc, sold_quantity desc nulls last, product_id
limit 20
