{{ config(materialized='incremental', unique_key='_row_id', incremental_strategy='delete+insert') }}

{%- set item_fields = {
    'id': 'varchar', 'product': {'id': 'varchar', 'productType': 'varchar'}, 'sku': 'varchar', 'title': 'varchar',
    'vendor': 'varchar', 'quantity': 'varchar', 'originalUnitPriceSet': amount_bag(),
    'totalDiscountSet': amount_bag(), 'discountAllocations': [{'allocatedAmountSet': amount_bag()}],
    'isGiftCard': 'varchar', 'taxLines': [{'priceSet': amount_bag()}],
} %}

with items as (
    select
        order_id,
        id_scope,
        {{ json_elements('payload', '$.lineItems.nodes') }},
        _row_id,
        _dlt_load_id
    from {{ source('raw_shopify', 'orders') }}
    where {{ new_loads() }}
),

read_once as (
    select
        order_id,
        id_scope,
        position,
        {{ json_record('item', item_fields) }} as line,
        _row_id,
        _dlt_load_id
    from items
)

select
    order_id,
    position as line_number,
    coalesce({{ gid_number('line.id') }}, cast(position as {{ dbt.type_string() }})) as line_id,
    {{ id_of_its_shop(gid_number('line.product.id')) }} as product_id,
    {{ first_text(['line.sku']) }} as sku,
    line.title as product_name,
    line.vendor as brand,
    line.product.producttype as category,
    {{ money_from_text('line.quantity') }} as quantity,
    {{ price_from_text('line.originalunitpriceset.shopmoney.amount') }} as unit_price,
    -- Where discounts are allocated they are all there; the older field leaves codes for the order out
    coalesce(
        {{ money(list_money(
            'line.discountallocations', money_from_text('part.allocatedamountset.shopmoney.amount'), 'part'
        )) }},
        {{ money_from_text('line.totaldiscountset.shopmoney.amount') }},
        0
    ) as line_discount,
    -- The API does not say which line is a tip: int_order_items finds it
    case when try_cast(line.isgiftcard as boolean) then 'gift_card' else 'goods' end as line_kind,
    {{ money(list_money('line.taxlines', money_from_text('tax.priceset.shopmoney.amount'), 'tax')) }} as line_tax,
    cast(null as {{ dbt.type_string() }}) as duties,
    _row_id,
    _dlt_load_id
from read_once
