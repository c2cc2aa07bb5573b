with states as (
    {{ latest_versions(
        source('raw_products', 'products'),
        ['product_id', 'sku', 'updated_at'],
        where='updated_at <= ' ~ as_of()
    ) | indent(4) }}
)

select
    _row_id as product_state_key,
    coalesce(nullif(trim(product_id), ''), nullif(trim(sku), '')) as product_id,
    nullif(trim(sku), '') as sku,
    updated_at,
    price,
    cost,
    in_stock
from states
where coalesce(nullif(trim(product_id), ''), nullif(trim(sku), '')) is not null
