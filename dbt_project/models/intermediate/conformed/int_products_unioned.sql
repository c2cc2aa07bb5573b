with sold as (
    select
        product_keys.product_id,
        lines.sku,
        lines.product_name,
        lines.category,
        lines.brand,
        lines.unit_price,
        lines.currency,
        max(lines.ordered_at) as ordered_at
    from {{ ref('int_order_lines_unioned') }} as lines
    inner join {{ ref('int_product_keys') }} as product_keys
        on
            coalesce(lines.product_id, '') = product_keys.line_product_id
            and coalesce(lines.sku, '') = product_keys.line_sku
    group by all
),

latest_sold as (
    select
        product_id,
        min(sku) as sku,
        -- What the latest line calls it: names are mended over time
        {{ last_value_by_time('product_name', 'ordered_at') }} as product_name,
        {{ last_value_by_time('category', 'ordered_at') }} as category,
        {{ last_value_by_time('brand', 'ordered_at') }} as brand,
        -- A price means something beside its own currency only, whose code has three letters
        {{ last_value_by_time(
            "currency || cast(nullif(unit_price, 0) as " ~ dbt.type_string() ~ ")", 'ordered_at'
        ) }} as price_text,
        min(currency) as any_currency
    from sold
    group by product_id
),

sold_products as (
    select
        *,
        {{ money_from_text('substr(price_text, 4)') }} as price,
        coalesce(substr(price_text, 1, 3), any_currency) as currency
    from latest_sold
),

listed as (
    select
        1 as priority,
        'products' as product_source,
        product_id,
        sku,
        product_name,
        category,
        brand,
        price,
        cost,
        '{{ var("shop_currency") }}' as currency,
        replenish_after_days,
        in_stock,
        substitute_group,
        attributes,
        _row_id
    from {{ ref('stg_products__products') }}
    union all
    select
        2 as priority,
        'shopify' as product_source,
        product_id,
        sku,
        product_name,
        category,
        brand,
        price,
        cost,
        coalesce(currency, '{{ var("shop_currency") }}') as currency,
        null as replenish_after_days,
        in_stock,
        null as substitute_group,
        null as attributes,
        _row_id
    from {{ ref('stg_shopify__products') }}
    union all
    select
        3 as priority,
        'orders' as product_source,
        product_id,
        sku,
        product_name,
        category,
        brand,
        price,
        null as cost,
        currency,
        null as replenish_after_days,
        null as in_stock,
        null as substitute_group,
        null as attributes,
        product_id as _row_id
    from sold_products
),

priced as (
    select
        *,
        coalesce(
            {{ ignoring_nulls('first_value', 'case when price is not null then currency end') }} over trusted_all,
            first_value(currency) over trusted_all
        ) as price_currency
    from listed
    window trusted_all as (
        partition by product_id order by priority, sku, _row_id
        rows between unbounded preceding and unbounded following
    )
),

by_priority as (
    select
        product_id,
        product_source,
        row_number() over trusted as source_number,
        -- A field that the best source leaves empty is taken from the next
        {{ ignoring_nulls('first_value', 'sku') }} over trusted_all as sku,
        {{ ignoring_nulls('first_value', 'product_name') }} over trusted_all as product_name,
        {{ ignoring_nulls('first_value', 'category') }} over trusted_all as category,
        {{ ignoring_nulls('first_value', 'brand') }} over trusted_all as brand,
        {{ ignoring_nulls('first_value', 'price') }} over trusted_all as price,
        -- A cost in another currency than the price's would be read in it
        {{ ignoring_nulls('first_value', 'case when currency = price_currency then cost end') }} over trusted_all as cost,
        price_currency as currency,
        {{ ignoring_nulls('first_value', 'replenish_after_days') }} over trusted_all as replenish_after_days,
        {{ ignoring_nulls('first_value', 'in_stock') }} over trusted_all as in_stock,
        {{ ignoring_nulls('first_value', 'substitute_group') }} over trusted_all as substitute_group,
        {{ ignoring_nulls('first_value', 'attributes') }} over trusted_all as attributes
    from priced
    window
        trusted as (partition by product_id order by priority, sku, _row_id),
        trusted_all as (
            partition by product_id order by priority, sku, _row_id
            rows between unbounded preceding and unbounded following
        )
)

select
    product_id,
    sku,
    product_name,
    category,
    brand,
    price,
    cost,
    currency,
    replenish_after_days,
    in_stock,
    substitute_group,
    attributes,
    product_source
from by_priority
where source_number = 1
