{#-
    What a product's variant cost and whether it could be bought, from when on. A state that says what the one
    before it said is none of its own, so each row is a change.
-#}
with stated as (
    select
        'products' as product_source,
        product_id,
        coalesce(sku, '') as sku,
        updated_at as valid_from,
        price,
        cost,
        '{{ var("shop_currency") }}' as currency,
        in_stock,
        cast(null as bigint) as stock_quantity,
        product_state_key as state_key
    from {{ ref('stg_products__product_states') }}
    union all
    select
        'shopify' as product_source,
        product_id,
        coalesce(sku, variant_id, '') as sku,
        updated_at as valid_from,
        price,
        cost,
        coalesce(currency, '{{ var("shop_currency") }}') as currency,
        in_stock,
        stock_quantity,
        variant_state_key as state_key
    from {{ ref('stg_shopify__variant_states') }}
),

-- Two variants of one product may share a SKU: the first counts
distinct_states as (
    select *
    from stated
    qualify row_number() over (partition by product_source, product_id, sku, valid_from order by price, state_key) = 1
),

beside as (
    select
        *,
        lag(state_key) over in_order as previous_key,
        lag(price) over in_order as previous_price,
        lag(cost) over in_order as previous_cost,
        lag(in_stock) over in_order as was_in_stock
    from distinct_states
    window in_order as (partition by product_source, product_id, sku order by valid_from)
)

select
    {{ hash_key(['product_source', 'product_id', 'sku', 'valid_from']) }} as product_state_id,
    product_source,
    product_id,
    nullif(sku, '') as sku,
    valid_from,
    lead(valid_from) over (partition by product_source, product_id, sku order by valid_from) as valid_to,
    price,
    previous_price,
    cost,
    previous_cost,
    currency,
    in_stock,
    was_in_stock,
    stock_quantity
from beside
where
    previous_key is null
    or price is distinct from previous_price
    or cost is distinct from previous_cost
    or in_stock is distinct from was_in_stock
