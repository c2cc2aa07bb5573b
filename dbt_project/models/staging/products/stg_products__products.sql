with latest as (
    {{ latest_versions(source('raw_products', 'products'), ['product_id', 'sku']) | indent(4) }}
)

select
    coalesce(nullif(trim(product_id), ''), nullif(trim(sku), '')) as product_id,
    nullif(trim(sku), '') as sku,
    name as product_name,
    category,
    brand,
    price,
    cost,
    replenish_after_days,
    in_stock,
    substitute_group,
    _row_id
from latest
where coalesce(nullif(trim(product_id), ''), nullif(trim(sku), '')) is not null
