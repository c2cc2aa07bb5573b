{#- A table and not a view, and incremental, because reading the JSON is the costly part. It keeps every
    version of an order; which one holds at `as_of` is decided in int_order_versions. -#}
{{ config(
    materialized='incremental', unique_key='_row_id', incremental_strategy='delete+insert',
    pre_hook="{{ forget_rows_gone(source('raw_orders', 'orders')) }}"
) }}

{%- set address = {
    'first_name': 'varchar', 'last_name': 'varchar', 'country_code': 'varchar', 'address1': 'varchar',
    'address2': 'varchar', 'zip': 'varchar', 'city': 'varchar', 'province_code': 'varchar',
} %}
{%- set document_fields = {
    'name': 'varchar', 'order_number': 'varchar', 'cart_token': 'varchar', 'checkout_token': 'varchar',
    'checkout_id': 'varchar',
    'cancelled_at': 'varchar', 'test': 'varchar', 'financial_status': 'varchar',
    'taxes_included': 'varchar', 'email': 'varchar', 'contact_email': 'varchar', 'phone': 'varchar',
    'customer': {
        'id': 'varchar', 'email': 'varchar', 'phone': 'varchar', 'first_name': 'varchar',
        'last_name': 'varchar', 'defaultEmailAddress': {'emailAddress': 'varchar'},
        'default_address': {'country_code': 'varchar', 'province_code': 'varchar'},
    },
    'buyer_accepts_marketing': 'varchar', 'presentment_currency': 'varchar',
    'total_tax': 'varchar', 'total_tax_set': amount_set(),
    'total_discounts': 'varchar', 'total_discounts_set': amount_set(),
    'subtotal_price': 'varchar', 'subtotal_price_set': amount_set(), 'total_price_set': amount_set(),
    'total_tip_received': 'varchar', 'total_shipping_price_set': amount_set(),
    'shipping_lines': [{
        'price': 'varchar', 'price_set': amount_set(), 'discounted_price': 'varchar',
        'discounted_price_set': amount_set(),
        'discount_allocations': [{'amount': 'varchar', 'amount_set': amount_set()}],
        'tax_lines': [{'price': 'varchar', 'price_set': amount_set()}],
    }],
    'line_items': [{'price_set': amount_set()}],
    'discount_codes': [{'code': 'varchar', 'amount': 'varchar', 'type': 'varchar'}],
    'transactions': [{'kind': 'varchar', 'status': 'varchar'}],
    'payment_gateway_names': 'varchar', 'source_name': 'varchar', 'location_id': 'varchar',
    'landing_site': 'varchar', 'referring_site': 'varchar', 'payment_fingerprint': 'varchar',
    'billing_address': address, 'shipping_address': address, 'note_attributes': 'varchar',
    'refunds': 'varchar', 'tags': 'varchar',
} %}

with versions as (
    select *
    from {{ source('raw_orders', 'orders') }}
    where {{ new_loads() }}
),

read_once as (
    select
        order_id,
        id_scope,
        created_at,
        processed_at,
        updated_at,
        currency,
        {{ json_record('payload', document_fields) }} as document,
        _row_id,
        _file,
        _line,
        _dlt_load_id
    from versions
),

shipping_read as (
    select
        *,
        coalesce(
            {{ money_from_text('document.total_shipping_price_set.shop_money.amount') }},
            {{ money(list_money('document.shipping_lines', shop_amount('line.price', 'line.price_set'), 'line')) }}
        ) as full_shipping,
        -- Allocated, or only seen in the lowered price, or only named by a code for shipping
        coalesce(
            greatest(
                {{ money(list_money(
                    'document.shipping_lines',
                    list_money('line.discount_allocations', shop_amount('part.amount', 'part.amount_set'), 'part'),
                    'line'
                )) }},
                {{ money(list_money(
                    'document.shipping_lines',
                    shop_amount('line.price', 'line.price_set')
                    ~ ' - ' ~ shop_amount('line.discounted_price', 'line.discounted_price_set'),
                    'line'
                )) }}
            ),
            {{ money(list_money(
                'document.discount_codes',
                "case when lower(code.type) = 'shipping' then " ~ money_from_text('code.amount') ~ ' end',
                'code'
            )) }},
            0
        ) as shipping_discounts,
        coalesce({{ money(list_money(
            'document.shipping_lines',
            list_money('line.tax_lines', shop_amount('tax.price', 'tax.price_set'), 'tax'),
            'line'
        )) }}, 0) as shipping_taxes
    from read_once
)

select
    order_id,
    id_scope,
    {{ first_text(['document.name']) }} as order_name,
    {{ first_text(['document.order_number']) }} as order_number,
    {{ first_text(['document.cart_token']) }} as cart_token,
    {{ first_text(['document.checkout_token']) }} as checkout_token,
    {{ first_text(['document.checkout_id']) }} as checkout_id,
    created_at,
    coalesce(processed_at, created_at) as ordered_at,
    updated_at,
    upper(trim(currency)) as currency,
    {{ utc_from_text('document.cancelled_at') }} as cancelled_at,
    {{ order_is_test('document') }} as is_test,
    lower(trim(document.financial_status)) as financial_status,
    coalesce({{ payment_was_voided('document.transactions') }}, false) as is_payment_voided,
    coalesce(try_cast(document.taxes_included as boolean), false) as is_taxes_included,
    {{ order_email('document') }} as email,
    {{ first_text(['document.phone', 'document.customer.phone']) }} as phone,
    {{ id_of_its_shop(first_text(['document.customer.id'])) }} as shopify_customer_id,
    {{ first_text(['document.customer.first_name', 'document.billing_address.first_name']) }} as first_name,
    {{ first_text(['document.customer.last_name', 'document.billing_address.last_name']) }} as last_name,
    try_cast(document.buyer_accepts_marketing as boolean) as accepts_marketing,
    {{ shop_amount('document.total_tax', 'document.total_tax_set') }} as taxes,
    {{ shop_amount('document.total_discounts', 'document.total_discounts_set') }} as discounts,
    {{ shop_amount('document.subtotal_price', 'document.subtotal_price_set') }} as subtotal,
    shipping_discounts,
    -- What the shop keeps for sending: after discounts, and without the tax that stands in it
    greatest(
        full_shipping - shipping_discounts
        - case when coalesce(try_cast(document.taxes_included as boolean), false) then shipping_taxes else 0 end,
        0
    ) as shipping,
    coalesce({{ money_from_text('document.total_tip_received') }}, 0) as tips,
    upper({{ first_text(['document.presentment_currency']) }}) as presentment_currency,
    -- What one unit of the buyer's currency was worth in this very order
    {{ order_rate([
        ('document.total_price_set.shop_money.amount', 'document.total_price_set.presentment_money.amount'),
        ('document.subtotal_price_set.shop_money.amount', 'document.subtotal_price_set.presentment_money.amount'),
    ], 'document.line_items') }} as presentment_rate,
    lower(document.payment_gateway_names) as payment_gateways,
    false as has_card_payment,
    lower({{ first_text(['document.source_name']) }}) as sales_channel,
    {{ id_of_its_shop(first_text(['document.location_id'])) }} as store_id,
    {{ first_text(['document.landing_site']) }} as landing_site,
    {{ first_text(['document.referring_site']) }} as referring_site,
    {{ list_words('document.discount_codes', first_text(['code.code']), 'code') }} as discount_code,
    upper({{ first_text([
        'document.billing_address.country_code', 'document.shipping_address.country_code',
        'document.customer.default_address.country_code',
    ]) }}) as country_code,
    {{ region_beside_country(
        ['document.billing_address', 'document.shipping_address', 'document.customer.default_address'],
        'country_code', 'province_code'
    ) }} as region,
    {{ first_text(['document.billing_address.city', 'document.shipping_address.city']) }} as city,
    -- The bill names where the buyer lives; a parcel sent elsewhere is a gift or an office
    coalesce(
        {{ home_address_key(
            'document.billing_address.address1', 'document.billing_address.address2', 'document.billing_address.zip'
        ) }},
        {{ home_address_key(
            'document.shipping_address.address1', 'document.shipping_address.address2', 'document.shipping_address.zip'
        ) }}
    ) as home_address_key,
    {{ first_text(['document.payment_fingerprint']) }} as payment_fingerprint,
    {{ device_in_attributes('document.note_attributes', 'name') }} as device_id,
    {{ order_is_gift('document.note_attributes', 'name') }} as is_gift,
    {{ order_attribute('document.note_attributes', 'name', '(?:gift_?)?occasion') }} as occasion_word,
    {{ order_ships_elsewhere('document.billing_address', 'document.shipping_address') }} as ships_elsewhere,
    nullif(document.refunds, '[]') as refunds,
    -- REST writes them in one text, a webhook of a newer version in a list
    case
        when document.tags like '[%' then {{ json_list_words('document.tags') }}
        else {{ first_text(['document.tags']) }}
    end as tags,
    _row_id,
    _file,
    _line,
    _dlt_load_id
from shipping_read
