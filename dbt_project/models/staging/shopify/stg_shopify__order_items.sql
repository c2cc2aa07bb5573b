{{ config(materialized='incremental', unique_key='_row_id', incremental_strategy='delete+insert') }}

{%- set paths = [
    '$.id', '$.product.id', '$.sku', '$.title', '$.vendor', '$.quantity',
    '$.originalUnitPriceSet.shopMoney.amount', '$.totalDiscountSet.shopMoney.amount',
    '$.isGiftCard', '$.taxLines[0].priceSet.shopMoney.amount',
    '$.taxLines[1].priceSet.shopMoney.amount', '$.product.productType',
] %}

with items as (
    select
        order_id,
        {{ json_elements('payload', '$.lineItems.nodes') }},
        _row_id,
        _dlt_load_id
    from {{ source('raw_shopify', 'orders') }}
    where {{ new_loads() }}
),

read_once as (
    select
        order_id,
        position,
        {{ json_texts('item', paths) }} as fields,
        _row_id,
        _dlt_load_id
    from items
)

select
    order_id,
    position as line_number,
    coalesce({{ gid_number(array_item('fields', 1)) }}, cast(position as varchar)) as line_id,
    {{ gid_number(array_item('fields', 2)) }} as product_id,
    nullif(trim({{ array_item('fields', 3) }}), '') as sku,
    {{ array_item('fields', 4) }} as product_name,
    {{ array_item('fields', 5) }} as brand,
    {{ array_item('fields', 12) }} as category,
    {{ money_from_text(array_item('fields', 6)) }} as quantity,
    {{ money_from_text(array_item('fields', 7)) }} as unit_price,
    coalesce({{ money_from_text(array_item('fields', 8)) }}, 0) as line_discount,
    coalesce(try_cast({{ array_item('fields', 9) }} as boolean), false) as is_gift_card,
    {{ money_from_text(array_item('fields', 10)) }}
    + coalesce({{ money_from_text(array_item('fields', 11)) }}, 0) as line_tax,
    _row_id,
    _dlt_load_id
from read_once
