with latest as (
    {{ latest_versions(
        source('raw_orders', 'order_lines'),
        ['order_id', 'coalesce(line_key, line_id, _row_id)'],
        where='ordered_at <= ' ~ as_of()
    ) | indent(4) }}
)

select
    order_id,
    coalesce(line_key, line_id, _row_id) as line_id,
    ordered_at,
    nullif(trim(customer_ref), '') as orders_customer_id,
    nullif(trim(email), '') as email,
    nullif(trim(phone), '') as phone,
    nullif(trim(payment_fingerprint), '') as payment_fingerprint,
    nullif(trim(sku), '') as sku,
    nullif(trim(product_name), '') as product_name,
    nullif(trim(category), '') as category,
    quantity,
    unit_price,
    upper(nullif(trim(currency), '')) as currency,
    nullif(trim(country), '') as country,
    lower(nullif(trim(sales_channel), '')) as sales_channel,
    nullif(trim(store_id), '') as store_id,
    -- A negative price is an adjustment of the books, neither a sale nor a return
    unit_price < 0 as is_adjustment,
    unit_price >= 0 and (coalesce(is_return, false) or quantity < 0) as is_return_line,
    _line,
    _row_id
from latest
