{#- Which product a line means: its product id, else the product of its sku, else the sku itself. -#}
with written as (
    select distinct
        coalesce(product_id, '') as line_product_id,
        coalesce(sku, '') as line_sku
    from {{ ref('int_order_lines_unioned') }}
    where product_id is not null or sku is not null
),

listed as (
    select
        sku,
        product_id
    from {{ ref('stg_products__products') }}
    union all
    select
        sku,
        product_id
    from {{ ref('stg_shopify__variant_states') }}
),

catalogue as (
    select
        sku,
        min(product_id) as product_id
    from listed
    where sku is not null
    group by sku
)

select
    written.line_product_id,
    written.line_sku,
    coalesce(nullif(written.line_product_id, ''), catalogue.product_id, written.line_sku) as product_id
from written
left join catalogue on written.line_sku = catalogue.sku
