{%- set paths = [
    '$.emailMarketingConsent.marketingState', '$.defaultEmailAddress.marketingState',
    '$.defaultAddress.countryCodeV2', '$.defaultAddress.zip', '$.verifiedEmail',
    '$.defaultAddress.provinceCode',
] %}

with latest as (
    {{ latest_versions(
        source('raw_shopify', 'customers'),
        ['shopify_customer_id'],
        updated_at='updated_at',
        where='coalesce(updated_at, created_at) <= ' ~ as_of()
    ) | indent(4) }}
),

read_once as (
    select
        *,
        {{ json_texts('payload', paths) }} as fields
    from latest
)

select
    _row_id as contact_key,
    shopify_customer_id,
    nullif(trim(email), '') as email,
    {{ phone_with_country("nullif(trim(phone), '')", array_item('fields', 3)) }} as phone,
    nullif(trim(first_name), '') as first_name,
    nullif(trim(last_name), '') as last_name,
    upper({{ array_item('fields', 3) }}) as country_code,
    {{ first_text([array_item('fields', 6)]) }} as region,
    {{ array_item('fields', 4) }} as postcode,
    lower(coalesce({{ array_item('fields', 1) }}, {{ array_item('fields', 2) }})) as email_marketing_state,
    try_cast({{ array_item('fields', 5) }} as boolean) as is_email_verified,
    created_at,
    updated_at
from read_once
