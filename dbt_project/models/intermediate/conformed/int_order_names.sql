{#- What else an order is called than by its id: trackers and tills send the number that the buyer sees. -#}
with documents as (
    select *
    from {{ ref('int_order_documents') }}
),

line_orders as (
    select *
    from {{ ref('int_order_line_orders') }}
),

named as (
    {%- for column in ['order_id', 'order_name', 'order_number'] %}
    select
        order_id,
        order_source,
        id_scope,
        {{ order_call(column) }} as order_call,
        {{ loop.index }} as call_rank,
        ordered_at
    from documents
    union all
    {%- endfor %}
    -- A further shop's tracker knows nothing of the name before its ids
    select
        order_id,
        order_source,
        id_scope,
        {{ order_call(number_in_its_shop('order_id', 'id_scope')) }} as order_call,
        4 as call_rank,
        ordered_at
    from documents
    where id_scope is not null
    union all
    -- A line file's own name for an order, also of one that JSON tells better
    select
        coalesce(line_orders.document_order_id, line_orders.order_id) as order_id,
        coalesce(documents.order_source, 'order_lines') as order_source,
        line_orders.id_scope,
        line_orders.order_call,
        case when line_orders.document_order_id is null then 1 else 2 end as call_rank,
        line_orders.ordered_at
    from line_orders
    left join documents on line_orders.document_order_id = documents.order_id
    union all
    -- What the buyer sees, where the file says it beside the id
    select
        line_orders.order_id,
        'order_lines' as order_source,
        line_orders.id_scope,
        {{ order_call('line_orders.order_name') }} as order_call,
        2 as call_rank,
        line_orders.ordered_at
    from line_orders
    where line_orders.document_order_id is null
)

select
    order_id,
    order_source,
    order_call,
    min(id_scope) as id_scope,
    min(call_rank) as call_rank,
    min(ordered_at) as ordered_at
from named
where order_call is not null
group by order_id, order_source, order_call
