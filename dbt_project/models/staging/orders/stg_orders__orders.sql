{#- A table and not a view, and incremental, because reading the JSON is the dear part. It keeps every
    version of an order; which one holds at `as_of` is decided in int_order_versions. -#}
{{ config(materialized='incremental', unique_key='_row_id', incremental_strategy='delete+insert') }}

{%- set paths = [
    '$.cancelled_at', '$.test', '$.financial_status', '$.taxes_included',
    '$.email', '$.phone', '$.customer.id', '$.customer.email', '$.customer.phone',
    '$.customer.first_name', '$.customer.last_name', '$.buyer_accepts_marketing',
    '$.total_tax', '$.total_discounts', '$.total_shipping_price_set.shop_money.amount',
    '$.payment_gateway_names', '$.source_name', '$.location_id', '$.landing_site',
    '$.referring_site', '$.discount_codes[0].code', '$.billing_address.country_code',
    '$.shipping_address.country_code', '$.payment_fingerprint', '$.note_attributes',
    '$.refunds', '$.billing_address.first_name', '$.billing_address.last_name',
    '$.billing_address.address1', '$.billing_address.address2', '$.billing_address.zip',
    '$.shipping_address.address1', '$.shipping_address.address2', '$.shipping_address.zip',
] %}

with versions as (
    select *
    from {{ source('raw_orders', 'orders') }}
    where {{ new_loads() }}
),

read_once as (
    select
        order_id,
        created_at,
        processed_at,
        updated_at,
        currency,
        {{ json_texts('payload', paths) }} as fields,
        _row_id,
        _file,
        _line,
        _dlt_load_id
    from versions
)

select
    order_id,
    created_at,
    coalesce(processed_at, created_at) as ordered_at,
    updated_at,
    upper(trim(currency)) as currency,
    {{ utc_from_text(array_item('fields', 1)) }} as cancelled_at,
    coalesce(try_cast({{ array_item('fields', 2) }} as boolean), false) as is_test,
    lower({{ array_item('fields', 3) }}) as financial_status,
    coalesce(try_cast({{ array_item('fields', 4) }} as boolean), false) as is_taxes_included,
    coalesce({{ array_item('fields', 5) }}, {{ array_item('fields', 8) }}) as email,
    coalesce({{ array_item('fields', 6) }}, {{ array_item('fields', 9) }}) as phone,
    {{ array_item('fields', 7) }} as shopify_customer_id,
    coalesce(nullif(trim({{ array_item('fields', 10) }}), ''), {{ array_item('fields', 27) }}) as first_name,
    coalesce(nullif(trim({{ array_item('fields', 11) }}), ''), {{ array_item('fields', 28) }}) as last_name,
    try_cast({{ array_item('fields', 12) }} as boolean) as accepts_marketing,
    {{ money_from_text(array_item('fields', 13)) }} as taxes,
    {{ money_from_text(array_item('fields', 14)) }} as discounts,
    {{ money_from_text(array_item('fields', 15)) }} as shipping,
    lower({{ array_item('fields', 16) }}) as payment_gateways,
    false as has_card_payment,
    lower({{ array_item('fields', 17) }}) as sales_channel,
    {{ array_item('fields', 18) }} as store_id,
    {{ array_item('fields', 19) }} as landing_site,
    {{ array_item('fields', 20) }} as referring_site,
    {{ array_item('fields', 21) }} as discount_code,
    upper(coalesce({{ array_item('fields', 22) }}, {{ array_item('fields', 23) }})) as country_code,
    -- The bill names where the buyer lives; a parcel sent elsewhere is a gift or an office
    coalesce(
        {{ home_address_key(array_item('fields', 29), array_item('fields', 30), array_item('fields', 31)) }},
        {{ home_address_key(array_item('fields', 32), array_item('fields', 33), array_item('fields', 34)) }}
    ) as home_address_key,
    {{ array_item('fields', 24) }} as payment_fingerprint,
    {{ device_in_attributes(array_item('fields', 25), 'name') }} as device_id,
    nullif({{ array_item('fields', 26) }}, '[]') as refunds,
    _row_id,
    _file,
    _line,
    _dlt_load_id
from read_once
