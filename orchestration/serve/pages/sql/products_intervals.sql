-- After how many days a product is bought again, where that is known from or why its own past does
-- not say, and how many people will need it within the next 30 days. Those with an
-- interval first, then those bought again by most people.
with due as (
    select product_id,
        count(*) filter (where due_at > $as_of and due_at <= $as_of + interval 30 day) as due_30d
    from marts.fct_replenishments
    group by product_id
)
select i.product_id, p.product_name, i.interval_days, i.basis, i.found_days, i.declared_days,
    i.repeat_buyer_count, i.comeback_count, i.found_right_count, i.declared_right_count,
    i.null_reason, coalesce(due.due_30d, 0) as due_30d
from marts.rpt_replenishment_intervals as i
left join marts.dim_products as p using (product_id)
left join due using (product_id)
where i.interval_days is not null or i.repeat_buyer_count > 0
order by i.interval_days is null, i.repeat_buyer_count desc nulls last, due_30d desc, i.product_id
limit 25
