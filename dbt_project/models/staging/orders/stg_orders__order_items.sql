{#- Read apart from stg_orders__orders because an order has many of them; incremental for the same reason. -#}
{{ config(
    materialized='incremental', unique_key='_row_id', incremental_strategy='delete+insert',
    pre_hook="{{ forget_rows_gone(source('raw_orders', 'orders')) }}"
) }}

{%- set item_fields = {
    'id': 'varchar', 'product_id': 'varchar', 'sku': 'varchar', 'title': 'varchar', 'vendor': 'varchar',
    'product_type': 'varchar', 'quantity': 'varchar', 'price': 'varchar', 'price_set': amount_set(),
    'total_discount': 'varchar', 'total_discount_set': amount_set(), 'gift_card': 'varchar',
    'tip_payment_gateway': 'varchar', 'tip_payment_method': 'varchar', 'tip': {'payment_gateway': 'varchar'},
    'tax_lines': [{'price': 'varchar', 'price_set': amount_set()}],
    'discount_allocations': [{'amount': 'varchar', 'amount_set': amount_set()}],
    'duties': 'varchar',
} %}

with items as (
    select
        order_id,
        id_scope,
        {{ json_elements('payload', '$.line_items') }},
        _row_id,
        _dlt_load_id
    from {{ source('raw_orders', 'orders') }}
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
    coalesce(line.id, cast(position as {{ dbt.type_string() }})) as line_id,
    {{ id_of_its_shop(first_text(['line.product_id'])) }} as product_id,
    {{ first_text(['line.sku']) }} as sku,
    line.title as product_name,
    line.vendor as brand,
    line.product_type as category,
    {{ money_from_text('line.quantity') }} as quantity,
    {{ shop_price('line.price', 'line.price_set') }} as unit_price,
    -- Where discounts are allocated they are all there; the older field repeats or misses them
    coalesce(
        {{ money(list_money('line.discount_allocations', shop_amount('part.amount', 'part.amount_set'), 'part')) }},
        {{ shop_amount('line.total_discount', 'line.total_discount_set') }},
        0
    ) as line_discount,
    case
        when try_cast(line.gift_card as boolean) then 'gift_card'
        when
            {{ first_text(['line.tip_payment_gateway', 'line.tip_payment_method', 'line.tip.payment_gateway']) }} is not null
            then 'tip'
        else 'goods'
    end as line_kind,
    {{ money(list_money('line.tax_lines', shop_amount('tax.price', 'tax.price_set'), 'tax')) }} as line_tax,
    nullif(line.duties, '[]') as duties,
    _row_id,
    _dlt_load_id
from read_once
