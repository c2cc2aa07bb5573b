-- Stores and the sales channels without one, all time: orders, those of nobody known, buyers, and
-- how many of them buy in several stores or online too.
select sales_channel, store_id, order_count, unknown_buyer_order_count, buyer_count,
    several_stores_count, online_too_count, net_sales, unconverted_count, first_ordered_date,
    last_ordered_date
from marts.rpt_stores
order by order_count desc, sales_channel, store_id nulls last
