{%- set item_fields = {
    'product': {'id': 'varchar'}, 'sku': 'varchar', 'title': 'varchar', 'quantity': 'varchar',
    'originalUnitPriceSet': amount_bag(),
} %}

with latest as (
    {{ latest_versions(
        source('raw_shopify', 'checkouts'),
        ['checkout_id'],
        updated_at='updated_at',
        where='updated_at <= ' ~ as_of()
    ) | indent(4) }}
),

items as (
    select
        checkout_id,
        id_scope,
        {{ json_elements('payload', '$.checkoutLines.nodes') }}
    from latest
),

read_once as (
    select
        *,
        {{ json_record('item', item_fields) }} as line
    from items
)

select
    checkout_id,
    position as line_number,
    {{ id_of_its_shop(gid_number('line.product.id')) }} as product_id,
    {{ first_text(['line.sku']) }} as sku,
    {{ first_text(['line.title']) }} as product_name,
    {{ money_from_text('line.quantity') }} as quantity,
    {{ price_from_text('line.originalunitpriceset.shopmoney.amount') }} as unit_price
from read_once
