{#- Refunds nest twice: an order has refunds, a refund has lines. A refund without lines is an amount. -#}
with documents as (
    select
        order_id,
        order_source,
        is_taxes_included,
        refunds
    from {{ ref('int_order_documents') }}
    where refunds is not null
),

refunds as (
    select
        order_id,
        order_source,
        is_taxes_included,
        {{ json_elements('refunds', '$') }}
    from documents
),

refunds_read as (
    select
        order_id,
        order_source,
        is_taxes_included,
        position as refund_number,
        coalesce(
            {{ utc_from_text(json_text('item', '$.created_at')) }},
            {{ utc_from_text(json_text('item', '$.createdAt')) }}
        ) as refunded_at,
        coalesce(
            {{ json_text('item', '$.refund_line_items') }},
            {{ json_text('item', '$.refundLineItems.nodes') }},
            '[]'
        ) as refund_lines,
        coalesce(
            {{ money_from_text(json_text('item', '$.totalRefundedSet.shopMoney.amount')) }},
            {{ money_from_text(json_text('item', '$.transactions[0].amount')) }}
            + coalesce({{ money_from_text(json_text('item', '$.transactions[1].amount')) }}, 0),
            0
        ) as refunded_amount
    from refunds
),

visible as (
    select *
    from refunds_read
    where refunded_at <= {{ as_of() }} or refunded_at is null
),

lines as (
    select
        order_id,
        order_source,
        is_taxes_included,
        refund_number,
        refunded_at,
        {{ json_elements('refund_lines', '$') }}
    from visible
    where refund_lines <> '[]'
),

lines_read as (
    select
        *,
        coalesce(
            {{ json_text('item', '$.line_item_id') }}, {{ gid_number(json_text('item', '$.lineItem.id')) }}
        ) as line_id,
        {{ money_from_text(json_text('item', '$.quantity')) }} as returned_quantity,
        coalesce(
            {{ money_from_text(json_text('item', '$.subtotal')) }},
            {{ money_from_text(json_text('item', '$.subtotalSet.shopMoney.amount')) }},
            0
        ) as subtotal,
        coalesce(
            {{ money_from_text(json_text('item', '$.total_tax')) }},
            {{ money_from_text(json_text('item', '$.totalTaxSet.shopMoney.amount')) }},
            0
        ) as returned_taxes
    from lines
)

select
    order_id,
    order_source,
    refund_number,
    refunded_at,
    line_id,
    returned_quantity,
    subtotal - case when is_taxes_included then returned_taxes else 0 end as returns,
    returned_taxes,
    {{ money('0') }} as refunded_amount
from lines_read
union all
select
    order_id,
    order_source,
    refund_number,
    refunded_at,
    null as line_id,
    null as returned_quantity,
    {{ money('0') }} as returns,
    {{ money('0') }} as returned_taxes,
    refunded_amount
from visible
where refund_lines = '[]'
