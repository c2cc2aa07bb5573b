-- One part of the members with the reason why each is one; the most valuable first, then by id.
-- {table} is the segment's own table, such as segments.seg_at_risk.
select s.customer_id, s.reason, c.first_name, c.last_name, c.email, c.order_count,
    c.lifetime_net_sales
from {table} as s
left join marts.dim_customers as c using (customer_id)
order by c.lifetime_net_sales desc nulls last, c.order_count desc nulls last, s.customer_id
limit $limit offset $offset
