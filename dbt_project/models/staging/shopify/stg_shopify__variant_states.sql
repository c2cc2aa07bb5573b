{%- set variant_fields = {
    'id': 'varchar', 'sku': 'varchar', 'title': 'varchar', 'price': 'varchar', 'compareAtPrice': 'varchar',
    'availableForSale': 'varchar', 'inventoryQuantity': 'varchar',
    'inventoryItem': {'unitCost': {'amount': 'varchar', 'currencyCode': 'varchar'}},
} %}

with versions as (
    {{ latest_versions(
        source('raw_shopify', 'products'), ['product_id', 'updated_at'], where='updated_at <= ' ~ as_of()
    ) | indent(4) }}
),

variants as (
    select
        product_id,
        id_scope,
        updated_at,
        _row_id,
        {{ json_text('payload', '$.priceRangeV2.minVariantPrice.currencyCode') }} as price_currency,
        {{ json_elements('payload', '$.variants.nodes') }}
    from versions
),

read_once as (
    select
        *,
        {{ json_record('item', variant_fields) }} as variant
    from variants
)

select
    {{ hash_key(['_row_id', 'position']) }} as variant_state_key,
    product_id,
    {{ id_of_its_shop(gid_number('variant.id')) }} as variant_id,
    position as variant_number,
    {{ first_text(['variant.sku']) }} as sku,
    {{ first_text(['variant.title']) }} as variant_name,
    updated_at,
    {{ money_from_text('variant.price') }} as price,
    {{ money_from_text('variant.compareatprice') }} as compare_at_price,
    {{ money_from_text('variant.inventoryitem.unitcost.amount') }} as cost,
    upper(coalesce(price_currency, variant.inventoryitem.unitcost.currencycode)) as currency,
    coalesce(
        try_cast(variant.availableforsale as boolean),
        try_cast(variant.inventoryquantity as bigint) > 0
    ) as in_stock,
    try_cast(variant.inventoryquantity as bigint) as stock_quantity,
    _row_id
from read_once
