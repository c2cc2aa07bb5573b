-- The ten paths of channels with the most orders, before a first order and after it: who took them,
-- how often, how often an order came of it, and its net sales. All time.
select phase, path, customer_count, path_count, order_count, net_sales
from marts.rpt_paths
qualify row_number() over (
    partition by phase order by order_count desc, path_count desc, path
) <= 10
order by phase desc, order_count desc, path_count desc, path
