{#- Incremental and with every version, as stg_orders__orders and for the same reason. -#}
{{ config(materialized='incremental', unique_key='_row_id', incremental_strategy='delete+insert') }}

{%- set address = {
    'firstName': 'varchar', 'lastName': 'varchar', 'countryCodeV2': 'varchar', 'address1': 'varchar',
    'address2': 'varchar', 'zip': 'varchar', 'city': 'varchar', 'provinceCode': 'varchar',
} %}
{%- set visit = {'landingPage': 'varchar', 'referrerUrl': 'varchar'} %}
{%- set document_fields = {
    'name': 'varchar', 'cancelledAt': 'varchar', 'test': 'varchar', 'displayFinancialStatus': 'varchar',
    'taxesIncluded': 'varchar', 'email': 'varchar', 'contact_email': 'varchar', 'phone': 'varchar',
    'customer': {
        'id': 'varchar', 'email': 'varchar', 'defaultEmailAddress': {'emailAddress': 'varchar'},
        'defaultPhoneNumber': {'phoneNumber': 'varchar'}, 'firstName': 'varchar', 'lastName': 'varchar',
    },
    'customerAcceptsMarketing': 'varchar', 'presentmentCurrencyCode': 'varchar',
    'totalTaxSet': amount_bag(), 'totalDiscountsSet': amount_bag(), 'subtotalPriceSet': amount_bag(),
    'totalShippingPriceSet': amount_bag(), 'totalTipReceivedSet': amount_bag(),
    'shippingLines': {'nodes': [{'discountedPriceSet': amount_bag(), 'taxLines': [{'priceSet': amount_bag()}]}]},
    'transactions': [{'kind': 'varchar', 'status': 'varchar', 'paymentDetails': 'varchar'}],
    'paymentGatewayNames': 'varchar', 'sourceName': 'varchar', 'retailLocation': {'id': 'varchar'},
    'customerJourneySummary': {'firstVisit': visit, 'lastVisit': visit},
    'discountCodes': 'varchar', 'paymentFingerprint': 'varchar',
    'billingAddress': address, 'shippingAddress': address, 'customAttributes': 'varchar',
    'refunds': 'varchar', 'tags': 'varchar',
} %}

with versions as (
    select *
    from {{ source('raw_shopify', 'orders') }}
    where {{ new_loads() }}
),

read_once as (
    select
        order_id,
        shop_id,
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
)

select
    order_id,
    shop_id,
    id_scope,
    {{ first_text(['document.name']) }} as order_name,
    cast(null as {{ dbt.type_string() }}) as order_number,
    cast(null as {{ dbt.type_string() }}) as cart_token,
    cast(null as {{ dbt.type_string() }}) as checkout_token,
    cast(null as {{ dbt.type_string() }}) as checkout_id,
    created_at,
    coalesce(processed_at, created_at) as ordered_at,
    updated_at,
    upper(trim(currency)) as currency,
    {{ utc_from_text('document.cancelledat') }} as cancelled_at,
    {{ order_is_test('document') }} as is_test,
    lower(trim(document.displayfinancialstatus)) as financial_status,
    coalesce({{ payment_was_voided('document.transactions') }}, false) as is_payment_voided,
    coalesce(try_cast(document.taxesincluded as boolean), false) as is_taxes_included,
    {{ order_email('document') }} as email,
    {{ first_text(['document.phone', 'document.customer.defaultphonenumber.phonenumber']) }} as phone,
    {{ id_of_its_shop(gid_number('document.customer.id')) }} as shopify_customer_id,
    {{ first_text(['document.customer.firstname', 'document.billingaddress.firstname']) }} as first_name,
    {{ first_text(['document.customer.lastname', 'document.billingaddress.lastname']) }} as last_name,
    try_cast(document.customeracceptsmarketing as boolean) as accepts_marketing,
    {{ money_from_text('document.totaltaxset.shopmoney.amount') }} as taxes,
    {{ money_from_text('document.totaldiscountsset.shopmoney.amount') }} as discounts,
    {{ money_from_text('document.subtotalpriceset.shopmoney.amount') }} as subtotal,
    -- The API gives the price of sending with its discounts taken off already
    {{ money('0') }} as shipping_discounts,
    -- What the shop keeps for sending is without the tax that stands in the price
    greatest(
        coalesce(
            {{ money(list_money(
                'document.shippinglines.nodes', money_from_text('line.discountedpriceset.shopmoney.amount'), 'line'
            )) }},
            {{ money_from_text('document.totalshippingpriceset.shopmoney.amount') }}
        )
        - case
            when coalesce(try_cast(document.taxesincluded as boolean), false)
                then coalesce({{ money(list_money(
                    'document.shippinglines.nodes',
                    list_money('line.taxlines', money_from_text('tax.priceset.shopmoney.amount'), 'tax'),
                    'line'
                )) }}, 0)
            else 0
        end,
        0
    ) as shipping,
    coalesce({{ money_from_text('document.totaltipreceivedset.shopmoney.amount') }}, 0) as tips,
    upper({{ first_text(['document.presentmentcurrencycode']) }}) as presentment_currency,
    cast(null as double) as presentment_rate,
    lower(document.paymentgatewaynames) as payment_gateways,
    -- Only a card has payment details, and the API gives no fingerprint of it
    coalesce({{ list_has(
        'document.transactions',
        "payment.status = 'SUCCESS' and payment.paymentdetails like '{%'",
        'payment'
    ) }}, false) as has_card_payment,
    lower({{ first_text(['document.sourcename']) }}) as sales_channel,
    {{ id_of_its_shop(gid_number('document.retaillocation.id')) }} as store_id,
    {{ first_text([
        'document.customerjourneysummary.lastvisit.landingpage', 'document.customerjourneysummary.firstvisit.landingpage'
    ]) }} as landing_site,
    {{ first_text([
        'document.customerjourneysummary.lastvisit.referrerurl', 'document.customerjourneysummary.firstvisit.referrerurl'
    ]) }} as referring_site,
    {{ json_list_words('document.discountcodes') }} as discount_code,
    upper({{ first_text(['document.billingaddress.countrycodev2', 'document.shippingaddress.countrycodev2']) }})
        as country_code,
    {{ region_beside_country(
        ['document.billingaddress', 'document.shippingaddress'], 'countrycodev2', 'provincecode'
    ) }} as region,
    {{ first_text(['document.billingaddress.city', 'document.shippingaddress.city']) }} as city,
    -- The bill names where the buyer lives; a parcel sent elsewhere is a gift or an office
    coalesce(
        {{ home_address_key(
            'document.billingaddress.address1', 'document.billingaddress.address2', 'document.billingaddress.zip'
        ) }},
        {{ home_address_key(
            'document.shippingaddress.address1', 'document.shippingaddress.address2', 'document.shippingaddress.zip'
        ) }}
    ) as home_address_key,
    {{ first_text(['document.paymentfingerprint']) }} as payment_fingerprint,
    {{ device_in_attributes('document.customattributes', 'key') }} as device_id,
    {{ order_is_gift('document.customattributes', 'key') }} as is_gift,
    {{ order_attribute('document.customattributes', 'key', '(?:gift_?)?occasion') }} as occasion_word,
    {{ order_ships_elsewhere('document.billingaddress', 'document.shippingaddress') }} as ships_elsewhere,
    nullif(document.refunds, '[]') as refunds,
    {{ json_list_words('document.tags') }} as tags,
    _row_id,
    _file,
    _line,
    _dlt_load_id
from read_once
