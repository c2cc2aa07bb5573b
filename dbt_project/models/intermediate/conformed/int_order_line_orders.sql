{#-
    Orders of line files. A file may call an order by what Shopify calls its id, its name (#1505) or its number
    (1505). The id is taken at its word; a name or number, which another shop's till may count as well, only
    if both were placed within a day of one another and do not name two addresses.
-#}
with line_orders as (
    select
        order_id,
        {{ order_call('order_id') }} as order_call,
        min(ordered_at) as ordered_at,
        min(orders_customer_id) as orders_customer_id,
        min(email) as email,
        min(phone) as phone,
        min(payment_fingerprint) as payment_fingerprint,
        min(country) as country,
        min(sales_channel) as sales_channel,
        min(store_id) as store_id,
        -- What stands on an order's first line only holds for all its lines
        {{ first_value_by_line('currency') }} as currency,
        bool_and(is_return_line or is_adjustment) and bool_or(is_return_line) as is_return_document
    from {{ ref('stg_orders__order_lines') }}
    group by order_id
),

documents as (
    select
        order_id,
        order_name,
        order_number,
        {{ shop_date('ordered_at') }} as ordered_date,
        lower(email) as email
    from {{ ref('int_order_documents') }}
),

calls as (
    select
        order_id,
        {{ order_call('order_id') }} as order_call,
        1 as call_rank
    from documents
    union all
    select
        order_id,
        {{ order_call('order_name') }} as order_call,
        2 as call_rank
    from documents
    union all
    select
        order_id,
        {{ order_call('order_number') }} as order_call,
        3 as call_rank
    from documents
),

matches as (
    select
        line_orders.order_id,
        calls.order_id as document_order_id
    from line_orders
    inner join calls on line_orders.order_call = calls.order_call
    inner join documents on calls.order_id = documents.order_id
    where
        line_orders.order_id = documents.order_id
        or (
            abs({{ dbt.datediff('documents.ordered_date', shop_date('line_orders.ordered_at'), 'day') }}) <= 1
            and (
                documents.email is null or line_orders.email is null
                or lower(line_orders.email) = documents.email
            )
        )
    qualify row_number() over (
        partition by line_orders.order_id
        order by line_orders.order_id = documents.order_id desc, calls.call_rank, documents.order_id
    ) = 1
)

select
    line_orders.*,
    matches.document_order_id
from line_orders
left join matches on line_orders.order_id = matches.order_id
