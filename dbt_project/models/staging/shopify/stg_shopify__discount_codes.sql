{%- set fields = {
    '__typename': 'varchar', 'usageLimit': 'varchar', 'codesCount': {'count': 'varchar'},
    'codes': {'nodes': 'varchar'}, 'customerGets': {'value': {
        'percentage': 'varchar', 'amount': {'amount': 'varchar', 'currencyCode': 'varchar'},
    }},
} %}

with latest as (
    {{ latest_versions(
        source('raw_shopify', 'discounts'),
        ['discount_id'],
        updated_at='updated_at',
        where='updated_at <= ' ~ as_of()
    ) | indent(4) }}
),

read_once as (
    select
        *,
        {{ json_record('payload', fields) }} as document
    from latest
),

codes as (
    select
        discount_id,
        shop_id,
        title,
        status,
        starts_at,
        ends_at,
        document.__typename as type_name,
        document.codescount.count as code_count,
        document.customergets.value.percentage,
        document.customergets.value.amount.amount,
        document.customergets.value.amount.currencycode as currency,
        {{ json_elements('document.codes.nodes', '$') }}
    from read_once
    where document.codes.nodes like '[%'
)

select
    discount_id,
    shop_id,
    position as code_number,
    {{ json_text('item', '$.code') }} as code,
    title,
    lower(status) as status,
    starts_at,
    ends_at,
    -- FreeShipping, Bxgy (buy some, get some) or Basic, whose value is told
    lower(replace(type_name, 'DiscountCode', '')) as discount_kind,
    try_cast(code_count as bigint) as code_count,
    {{ money('round(100 * ' ~ number_from_text('percentage', 'double') ~ ', 4)') }} as percent_off,
    {{ money_from_text('amount') }} as amount_off,
    upper(currency) as currency
from codes
