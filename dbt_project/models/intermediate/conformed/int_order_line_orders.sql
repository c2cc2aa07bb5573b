{#-
    Orders of line files. A file may call an order by what Shopify calls its id, its name (#1505) or its number
    (1505). The id is taken at its word; a name or number, which another shop's till may count as well, only
    if both were placed within a day of one another and do not name two addresses.
-#}
with status_words as (
    {{ order_status_meanings() }}
),

lines as (
    select
        lines.*,
        coalesce(status_words.meaning, 'placed') as status_meaning,
        row_number() over (partition by lines.order_id order by lines._line, lines._row_id) = 1 as is_first_line
    from {{ ref('stg_orders__order_lines') }} as lines
    left join status_words on lines.status_word = status_words.word
),

line_orders as (
    select
        order_id,
        min(id_scope) as id_scope,
        {{ order_call(number_in_its_shop('order_id', 'min(id_scope)')) }} as order_call,
        min(order_name) as order_name,
        min(ordered_at) as ordered_at,
        min(orders_customer_id) as orders_customer_id,
        min(email) as email,
        min(phone) as phone,
        min(payment_fingerprint) as payment_fingerprint,
        min(country) as country,
        -- Of two addresses on one order none is sure
        case when min(region) = max(region) and min(country) = max(country) then min(region) end as region,
        min(sales_channel) as sales_channel,
        min(store_id) as store_id,
        -- What stands on an order's first line only holds for all its lines
        {{ first_value_by_line('currency') }} as currency,
        {{ first_value_by_line('first_name') }} as first_name,
        {{ first_value_by_line('last_name') }} as last_name,
        -- A word that all lines with one share is the order's; where they differ, each speaks for its line
        case
            when min(status_meaning) filter (where status_word is not null)
                = max(status_meaning) filter (where status_word is not null)
                then min(status_meaning) filter (where status_word is not null)
        end as status_meaning,
        -- So is a date on the first line or on all lines
        case
            when bool_or(is_first_line and cancelled_at <= {{ as_of() }})
                then min(cancelled_at) filter (where cancelled_at <= {{ as_of() }})
        end as cancelled_at,
        {{ amount_of_order('shipping') }} as shipping,
        {{ amount_of_order('taxes') }} as taxes,
        {{ amount_of_order('refunded_amount') }} as refunded_amount,
        bool_and(is_return_line or is_adjustment) and bool_or(is_return_line) as is_return_document
    from lines
    group by order_id
),

documents as (
    select
        order_id,
        id_scope,
        order_name,
        order_number,
        {{ shop_date('ordered_at') }} as ordered_date,
        lower(email) as email
    from {{ ref('int_order_documents') }}
),

calls as (
    select
        order_id,
        {{ order_call(number_in_its_shop('order_id', 'id_scope')) }} as order_call,
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
            -- Another shop counts its own orders
            line_orders.id_scope is not distinct from documents.id_scope
            and abs({{ dbt.datediff('documents.ordered_date', shop_date('line_orders.ordered_at'), 'day') }}) <= 1
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
    line_orders.cancelled_at is not null or coalesce(line_orders.status_meaning = 'cancelled', false) as is_cancelled,
    coalesce(line_orders.status_meaning = 'voided', false) as is_voided,
    coalesce(line_orders.status_meaning = 'returned', false) and line_orders.refunded_amount = 0 as is_wholly_back,
    matches.document_order_id
from line_orders
left join matches on line_orders.order_id = matches.order_id
