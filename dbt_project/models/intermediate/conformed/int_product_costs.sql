{#-
    What one piece of a product's variant cost the shop, from when until when. The catalogue's dated word goes before
    Shopify's, and an undated one last. What was known first holds for all time before, because an older cost is
    nowhere to be found. `counts_from` and `counts_until` are never empty, so that a join by them is one of ranges alone.
-#}
with stated as (
    select
        product_id,
        coalesce(sku, '') as sku,
        valid_from,
        cost,
        currency,
        case product_source when 'products' then 1 else 2 end as priority
    from {{ ref('int_product_states') }}
    union all
    select
        product_id,
        coalesce(sku, '') as sku,
        cast(null as timestamp) as valid_from,
        cost,
        '{{ var("shop_currency") }}' as currency,
        3 as priority
    from {{ ref('stg_products__products') }}
    where updated_at is null
),

-- Asked before the costs are, so that a variant without one is not taken for the other
variants as (
    select
        *,
        min(sku) over (partition by product_id) = max(sku) over (partition by product_id) as is_only_variant
    from stated
),

trusted as (
    select *
    from variants
    where cost is not null
    qualify priority = min(priority) over (partition by product_id, sku)
)

select
    product_id,
    sku,
    valid_from,
    case
        when row_number() over in_order > 1 then valid_from
        else timestamp '1900-01-01 00:00:00'
    end as counts_from,
    coalesce(lead(valid_from) over in_order, timestamp '9999-12-31 00:00:00') as counts_until,
    is_only_variant,
    cost,
    currency
from trusted
window in_order as (partition by product_id, sku order by valid_from, cost, currency)
