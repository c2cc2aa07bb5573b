with latest as (
    {{ latest_versions(
        source('raw_promotions', 'promotions'),
        ['promotion_id', 'code', 'customer_ref', 'identifier_type', 'identifier_value'],
        where='issued_at <= ' ~ as_of() ~ ' or issued_at is null'
    ) | indent(4) }}
)

select
    promotion_id,
    name as promotion_name,
    category,
    product_id,
    starts_at,
    ends_at,
    code,
    value_percent,
    value_amount,
    currency,
    nullif(trim(for_segment), '') as for_segment,
    lower(trim(identifier_type)) as identifier_type,
    nullif(trim(identifier_value), '') as identifier_value,
    nullif(trim(customer_ref), '') as orders_customer_id,
    issued_at,
    valid_until,
    case when redeemed_at <= {{ as_of() }} then redeemed_at end as redeemed_at,
    case when redeemed_at <= {{ as_of() }} then nullif(trim(redeemed_order_id), '') end as redeemed_order_id,
    _row_id
from latest
