{%- set paths = [
    '$.variants.nodes[0].sku', '$.variants.nodes[0].price',
    '$.variants.nodes[0].inventoryItem.unitCost.amount', '$.totalInventory', '$.tracksInventory',
    '$.priceRangeV2.minVariantPrice.currencyCode', '$.variants.nodes[0].inventoryItem.unitCost.currencyCode',
] %}

with latest as (
    {{ latest_versions(
        source('raw_shopify', 'products'),
        ['product_id'],
        updated_at='updated_at',
        where='updated_at <= ' ~ as_of() ~ ' or updated_at is null'
    ) | indent(4) }}
),

read_once as (
    select
        *,
        {{ json_texts('payload', paths) }} as fields
    from latest
)

select
    product_id,
    nullif(trim({{ array_item('fields', 1) }}), '') as sku,
    title as product_name,
    nullif(trim(product_type), '') as category,
    vendor as brand,
    {{ money_from_text(array_item('fields', 2)) }} as price,
    {{ money_from_text(array_item('fields', 3)) }} as cost,
    coalesce({{ array_item('fields', 6) }}, {{ array_item('fields', 7) }}) as currency,
    case
        when try_cast({{ array_item('fields', 5) }} as boolean) is not false
            then try_cast({{ array_item('fields', 4) }} as bigint) > 0
        else true
    end as in_stock,
    updated_at,
    _row_id
from read_once
