{%- set paths = [
    '$.totalPriceSet.shopMoney.amount', '$.totalPriceSet.shopMoney.currencyCode', '$.customer.id', '$.discountCodes',
] %}

with latest as (
    {{ latest_versions(
        source('raw_shopify', 'checkouts'),
        ['checkout_id'],
        updated_at='updated_at',
        where='updated_at <= ' ~ as_of()
    ) | indent(4) }}
),

read_once as (
    select
        *,
        {{ json_texts('payload', paths) }} as fields
    from latest
)

select
    checkout_id,
    nullif(trim(email), '') as email,
    nullif(trim(phone), '') as phone,
    {{ id_of_its_shop(gid_number(array_item('fields', 3))) }} as shopify_customer_id,
    created_at,
    updated_at,
    -- Many come back later and buy what they left
    completed_at,
    {{ money_from_text(array_item('fields', 1)) }} as total,
    upper({{ array_item('fields', 2) }}) as currency,
    {{ json_list_words(array_item('fields', 4)) }} as discount_code
from read_once
