-- The ten strongest pairs of each kind: bought in one order, looked at in one visit, and searched
-- for and then bought. Of the two directions of one pair only the surer stands here, but for a
-- search. Support: orders or visits with both; lift: how many times more often than by chance.
with pairs as (
    select a.kind, p.product_name, o.product_name as other_product_name, a.product_id,
        a.other_product_id, a.support, a.confidence, a.lift
    from marts.product_affinities as a
    left join marts.dim_products as p on p.product_id = a.product_id
    left join marts.dim_products as o on o.product_id = a.other_product_id
    qualify row_number() over (
        partition by a.kind,
            case when a.kind = 'searched_then_bought' then a.product_id
                else least(a.product_id, a.other_product_id) end,
            case when a.kind = 'searched_then_bought' then a.other_product_id
                else greatest(a.product_id, a.other_product_id) end
        order by a.confidence desc, a.product_id
    ) = 1
)
select kind, product_name, other_product_name, product_id, other_product_id, support, confidence,
    lift
from pairs
qualify row_number() over (
    partition by kind order by support * ln(lift) desc, product_id, other_product_id
) <= 10
order by kind, support * ln(lift) desc, product_id, other_product_id
