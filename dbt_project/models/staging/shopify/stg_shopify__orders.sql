{#- Incremental and with every version, as stg_orders__orders and for the same reason. -#}
{{ config(materialized='incremental', unique_key='_row_id', incremental_strategy='delete+insert') }}

{%- set paths = [
    '$.cancelledAt', '$.test', '$.displayFinancialStatus', '$.taxesIncluded', '$.email', '$.phone',
    '$.customer.id', '$.customer.defaultEmailAddress.emailAddress',
    '$.customer.defaultPhoneNumber.phoneNumber', '$.customer.firstName', '$.customer.lastName',
    '$.customerAcceptsMarketing', '$.totalTaxSet.shopMoney.amount',
    '$.totalDiscountsSet.shopMoney.amount', '$.totalShippingPriceSet.shopMoney.amount',
    '$.transactions', '$.sourceName', '$.retailLocation.id',
    '$.customerJourneySummary.lastVisit.landingPage',
    '$.customerJourneySummary.lastVisit.referrerUrl', '$.discountCodes[0]',
    '$.billingAddress.countryCodeV2', '$.shippingAddress.countryCodeV2', '$.customAttributes',
    '$.refunds', '$.billingAddress.firstName', '$.billingAddress.lastName', '$.paymentFingerprint',
    '$.paymentGatewayNames', '$.billingAddress.address1', '$.billingAddress.address2',
    '$.billingAddress.zip', '$.shippingAddress.address1', '$.shippingAddress.address2',
    '$.shippingAddress.zip',
] %}

with versions as (
    select *
    from {{ source('raw_shopify', 'orders') }}
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
    {{ gid_number(array_item('fields', 7)) }} as shopify_customer_id,
    coalesce(nullif(trim({{ array_item('fields', 10) }}), ''), {{ array_item('fields', 26) }}) as first_name,
    coalesce(nullif(trim({{ array_item('fields', 11) }}), ''), {{ array_item('fields', 27) }}) as last_name,
    try_cast({{ array_item('fields', 12) }} as boolean) as accepts_marketing,
    {{ money_from_text(array_item('fields', 13)) }} as taxes,
    {{ money_from_text(array_item('fields', 14)) }} as discounts,
    {{ money_from_text(array_item('fields', 15)) }} as shipping,
    lower({{ array_item('fields', 29) }}) as payment_gateways,
    -- Only a card has payment details, and the API gives no fingerprint of it
    coalesce(
        {{ text_matches(array_item('fields', 16), "'\"paymentDetails\" *: *[{]'") }}
        and {{ text_matches(array_item('fields', 16), "'\"status\" *: *\"SUCCESS\"'") }},
        false
    ) as has_card_payment,
    lower({{ array_item('fields', 17) }}) as sales_channel,
    {{ gid_number(array_item('fields', 18)) }} as store_id,
    {{ array_item('fields', 19) }} as landing_site,
    {{ array_item('fields', 20) }} as referring_site,
    {{ array_item('fields', 21) }} as discount_code,
    upper(coalesce({{ array_item('fields', 22) }}, {{ array_item('fields', 23) }})) as country_code,
    -- The bill names where the buyer lives; a parcel sent elsewhere is a gift or an office
    coalesce(
        {{ home_address_key(array_item('fields', 30), array_item('fields', 31), array_item('fields', 32)) }},
        {{ home_address_key(array_item('fields', 33), array_item('fields', 34), array_item('fields', 35)) }}
    ) as home_address_key,
    {{ array_item('fields', 28) }} as payment_fingerprint,
    {{ device_in_attributes(array_item('fields', 24), 'key') }} as device_id,
    nullif({{ array_item('fields', 25) }}, '[]') as refunds,
    _row_id,
    _file,
    _line,
    _dlt_load_id
from read_once
