{%- set line_fields = {
    'line_item_id': 'varchar', 'lineItem': {'id': 'varchar'}, 'quantity': 'varchar',
    'subtotal': 'varchar', 'subtotal_set': amount_set(), 'subtotalSet': amount_bag(),
    'total_tax': 'varchar', 'total_tax_set': amount_set(), 'totalTaxSet': amount_bag(),
} %}

with refunds as (
    select
        order_id,
        order_source,
        refund_number,
        refunded_at,
        {{ json_elements('refund_lines', '$') }}
    from {{ ref('int_order_refunds_read') }}
    where refund_lines like '[%' and refund_lines <> '[]'
),

lines_read as (
    select
        *,
        {{ json_record('item', line_fields) }} as line
    from refunds
),

taxes_included as (
    select
        order_id,
        is_taxes_included
    from {{ ref('int_order_documents') }}
),

items as (
    select
        order_id,
        line_id,
        line_kind
    from {{ ref('int_order_items') }}
    qualify row_number() over (partition by order_id, line_id order by line_number) = 1
),

valued as (
    select
        lines_read.order_id,
        lines_read.order_source,
        lines_read.refund_number,
        lines_read.position as refund_line_number,
        lines_read.refunded_at,
        coalesce({{ first_text(['lines_read.line.line_item_id']) }}, {{ gid_number('lines_read.line.lineitem.id') }}) as line_id,
        {{ money_from_text('lines_read.line.quantity') }} as returned_quantity,
        taxes_included.is_taxes_included,
        coalesce(
            {{ shop_amount('lines_read.line.subtotal', 'lines_read.line.subtotal_set') }},
            {{ money_from_text('lines_read.line.subtotalset.shopmoney.amount') }},
            0
        ) as subtotal,
        coalesce(
            {{ shop_amount('lines_read.line.total_tax', 'lines_read.line.total_tax_set') }},
            {{ money_from_text('lines_read.line.totaltaxset.shopmoney.amount') }},
            0
        ) as taxes
    from lines_read
    inner join taxes_included on lines_read.order_id = taxes_included.order_id
)

select
    valued.order_id,
    valued.order_source,
    valued.refund_number,
    valued.refund_line_number,
    valued.refunded_at,
    valued.line_id,
    coalesce(items.line_kind, 'goods') as line_kind,
    valued.returned_quantity,
    {{ money('valued.subtotal - case when valued.is_taxes_included then valued.taxes else 0 end') }} as returns,
    valued.taxes as returned_taxes,
    {{ money('valued.subtotal + case when valued.is_taxes_included then 0 else valued.taxes end') }} as amount
from valued
left join items on valued.order_id = items.order_id and valued.line_id = items.line_id
