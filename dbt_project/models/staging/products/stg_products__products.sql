with latest as (
    {{ latest_versions(
        source('raw_products', 'products'),
        ['product_id', 'sku'],
        updated_at='updated_at',
        where='updated_at <= ' ~ as_of() ~ ' or updated_at is null'
    ) | indent(4) }}
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
    attributes,
    updated_at,
    _row_id
from latest
where coalesce(nullif(trim(product_id), ''), nullif(trim(sku), '')) is not null
