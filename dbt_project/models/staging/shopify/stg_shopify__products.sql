{%- set paths = ['$.totalInventory', '$.tracksInventory', '$.priceRangeV2.minVariantPrice.currencyCode'] %}

with latest as (
    {{ latest_versions(
        source('raw_shopify', 'products'),
        ['product_id'],
        updated_at='updated_at',
        where='updated_at <= ' ~ as_of()
    ) | indent(4) }}
),

read_once as (
    select
        *,
        {{ json_texts('payload', paths) }} as fields
    from latest
),

-- The price from which the product can be had, and what that very variant costs the shop
cheapest as (
    select *
    from {{ ref('stg_shopify__variant_states') }}
    qualify row_number() over (partition by _row_id order by price nulls last, variant_number) = 1
)

select
    products.product_id,
    cheapest.sku,
    products.title as product_name,
    nullif(trim(products.product_type), '') as category,
    products.vendor as brand,
    cheapest.price,
    cheapest.cost,
    coalesce({{ array_item('products.fields', 3) }}, cheapest.currency) as currency,
    case
        when try_cast({{ array_item('products.fields', 2) }} as boolean) is not false
            then try_cast({{ array_item('products.fields', 1) }} as bigint) > 0
        else true
    end as in_stock,
    products.updated_at,
    products._row_id
from read_once as products
left join cheapest on products._row_id = cheapest._row_id
