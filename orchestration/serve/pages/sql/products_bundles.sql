-- Bundles that are recommended now: what somebody looked at and what goes with it, by how many
-- people it is recommended to.
select p.product_name, o.product_name as other_product_name, r.with_product_id as product_id,
    r.product_id as other_product_id, count(distinct r.customer_id) as people,
    any_value(r.proof order by r.proof) as proof
from marts.fct_recommendations as r
left join marts.dim_products as p on p.product_id = r.with_product_id
left join marts.dim_products as o on o.product_id = r.product_id
where r.kind = 'bundle'
group by all
order by people desc, r.with_product_id, r.product_id
limit 20
