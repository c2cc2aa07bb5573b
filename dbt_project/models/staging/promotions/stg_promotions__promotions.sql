with latest as (
    {{ latest_versions(
        source('raw_promotions', 'promotions'),
        ['promotion_id', 'code', 'customer_ref']
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
    nullif(trim(customer_ref), '') as orders_customer_id,
    case when redeemed_at <= {{ as_of() }} then redeemed_at end as redeemed_at,
    _row_id
from latest
