with latest as (
    {{ latest_versions(
        source('raw_orders', 'order_lines'),
        ['order_id', 'coalesce(line_key, line_id, _row_id)'],
        where='ordered_at <= ' ~ as_of()
    ) | indent(4) }}
)

select
    order_id,
    id_scope,
    nullif(trim(order_name), '') as order_name,
    coalesce(line_key, line_id, _row_id) as line_id,
    ordered_at,
    nullif(trim(customer_ref), '') as orders_customer_id,
    nullif(trim(email), '') as email,
    nullif(trim(phone), '') as phone,
    nullif(trim(payment_fingerprint), '') as payment_fingerprint,
    nullif(trim(sku), '') as sku,
    nullif(trim(product_name), '') as product_name,
    nullif(trim(category), '') as category,
    nullif(trim(first_name), '') as first_name,
    nullif(trim(last_name), '') as last_name,
    quantity,
    unit_price,
    line_amount,
    -- Multiplied before it is rounded: a price per gram has more digits than money
    {{ money('round(quantity * unit_price, 4)') }} as priced_amount,
    {{ money('abs(coalesce(discount, 0))') }} as line_discount,
    shipping,
    taxes,
    {{ money('abs(refunded_amount)') }} as refunded_amount,
    upper(nullif(trim(currency), '')) as currency,
    nullif(trim(country), '') as country,
    nullif(trim(region), '') as region,
    nullif({{ word_form('status') }}, '') as status_word,
    cancelled_at,
    lower(nullif(trim(sales_channel), '')) as sales_channel,
    {{ id_of_its_shop("nullif(trim(store_id), '')") }} as store_id,
    -- A negative price is an adjustment of the books, neither a sale nor a return
    case
        when unit_price is not null then unit_price < 0
        else line_amount < 0 and quantity >= 0 and not coalesce(is_return, false)
    end as is_adjustment,
    coalesce(unit_price >= 0, not (line_amount < 0 and quantity >= 0 and not coalesce(is_return, false)))
    and (coalesce(is_return, false) or quantity < 0) as is_return_line,
    _line,
    _row_id
from latest
