{#-
    Duties that a refund names without their amounts (`refund_duties` of the REST API): the amounts stand on the
    lines of the order. A duty goes back in full, or in proportion to the pieces of its line that went back.
-#}
{%- set duty_fields = {
    'id': 'varchar', 'shop_money': {'amount': 'varchar'}, 'price': 'varchar', 'price_set': amount_set(),
    'amount': 'varchar', 'amount_set': amount_set(),
} %}
{%- set named_fields = {'duty_id': 'varchar', 'refund_type': 'varchar', 'amount': 'varchar', 'amount_set': amount_set()} %}

with refunds as (
    select
        order_id,
        refund_number,
        {{ json_elements('refund_duties', '$') }}
    from {{ ref('int_order_refunds_read') }}
    where duties_back is null and refund_duties like '[%'
),

named as (
    select
        order_id,
        refund_number,
        position,
        {{ json_record('item', named_fields) }} as duty
    from refunds
),

items as (
    select
        items.order_id,
        items.line_id,
        items.line_number,
        items.quantity,
        {{ json_elements('items.duties', '$') }}
    from {{ ref('stg_orders__order_items') }} as items
    inner join {{ ref('int_order_documents') }} as documents on items._row_id = documents._row_id
    where items.duties like '[%'
),

items_read as (
    select
        *,
        {{ json_record('item', duty_fields) }} as duty
    from items
),

charged as (
    select
        order_id,
        line_id,
        quantity,
        {{ first_text(['duty.id']) }} as duty_id,
        coalesce(
            {{ money_from_text('duty.shop_money.amount') }},
            {{ shop_amount('duty.price', 'duty.price_set') }},
            {{ shop_amount('duty.amount', 'duty.amount_set') }}
        ) as amount
    from items_read
    qualify row_number() over (
        partition by order_id, {{ first_text(['duty.id']) }}
        order by line_number, position
    ) = 1
),

pieces_back as (
    select
        order_id,
        refund_number,
        line_id,
        sum(returned_quantity) as returned_quantity
    from {{ ref('int_order_refund_lines') }}
    group by order_id, refund_number, line_id
)

select
    named.order_id,
    named.refund_number,
    {{ money('sum(coalesce(
        ' ~ shop_amount('named.duty.amount', 'named.duty.amount_set') ~ ',
        case
            when lower(trim(named.duty.refund_type)) = \'proportional\'
                then round(charged.amount * least(coalesce(pieces_back.returned_quantity, 0) / nullif(charged.quantity, 0), 1), 4)
            else charged.amount
        end
    ))') }} as duties_back
from named
left join charged on named.order_id = charged.order_id and trim(named.duty.duty_id) = charged.duty_id
left join pieces_back
    on
        named.order_id = pieces_back.order_id
        and named.refund_number = pieces_back.refund_number
        and charged.line_id = pieces_back.line_id
group by named.order_id, named.refund_number
