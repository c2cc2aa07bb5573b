{#-
    What each refund says, from REST or GraphQL, before it is weighed. Amounts are the shop's: a transaction in
    the buyer's currency is converted as the order itself was, and is unknown where the order does not say how.
-#}
{%- set refund_fields = {
    'created_at': 'varchar', 'createdAt': 'varchar',
    'refund_line_items': 'varchar', 'refundLineItems': {'nodes': 'varchar'},
    'order_adjustments': [{
        'kind': 'varchar', 'reason': 'varchar', 'amount': 'varchar', 'amount_set': amount_set(),
        'tax_amount': 'varchar', 'tax_amount_set': amount_set(),
    }],
    'orderAdjustments': {'nodes': [{'reason': 'varchar', 'amountSet': amount_bag(), 'taxAmountSet': amount_bag()}]},
    'refund_shipping_lines': [{
        'subtotal_amount': 'varchar', 'subtotal_amount_set': amount_set(),
        'tax_amount': 'varchar', 'tax_amount_set': amount_set(),
    }],
    'refundShippingLines': {'nodes': [{'subtotalAmountSet': amount_bag(), 'taxAmountSet': amount_bag()}]},
    'total_duties_set': amount_set(), 'duties': [{'amount': 'varchar', 'amount_set': amount_set(), 'amountSet': amount_bag()}],
    'refund_duties': 'varchar', 'totalRefundedSet': amount_bag(),
} %}
{%- set transaction_fields = {
    'kind': 'varchar', 'status': 'varchar', 'amount': 'varchar', 'currency': 'varchar', 'amount_set': amount_set(),
    'amountSet': amount_bag(),
} %}
{#- Where REST, GraphQL and REST's adjustments name each amount of the shipping -#}
{%- set shipping_amounts = {
    'shipping_back': ('subtotal_amount', 'subtotalamountset', 'amount'),
    'shipping_taxes_back': ('tax_amount', 'taxamountset', 'tax_amount'),
} %}
{%- set is_shipping = "coalesce(nullif(trim(part.kind), ''), part.reason) = 'shipping_refund'" %}

with documents as (
    select
        order_id,
        order_source,
        currency,
        presentment_currency,
        presentment_rate,
        refunds
    from {{ ref('int_order_documents') }}
    where refunds is not null
),

refunds as (
    select
        order_id,
        order_source,
        currency,
        presentment_currency,
        presentment_rate,
        {{ json_elements('refunds', '$') }}
    from documents
),

refunds_read as (
    select
        *,
        {{ json_record('item', refund_fields) }} as refund,
        coalesce({{ json_text('item', '$.transactions.nodes') }}, {{ json_text('item', '$.transactions') }}) as transactions
    from refunds
),

dated as (
    select
        *,
        coalesce({{ utc_from_text('refund.created_at') }}, {{ utc_from_text('refund.createdat') }}) as refunded_at
    from refunds_read
),

visible as (
    select *
    from dated
    where refunded_at <= {{ as_of() }} or refunded_at is null
),

transactions as (
    select
        order_id,
        position as refund_number,
        currency,
        presentment_currency,
        presentment_rate,
        transactions
    from visible
    where transactions like '[%' and transactions <> '[]'
),

transaction_items as (
    select
        order_id,
        refund_number,
        currency,
        presentment_currency,
        presentment_rate,
        {{ json_elements('transactions', '$') }}
    from transactions
),

transactions_read as (
    select
        *,
        {{ json_record('item', transaction_fields) }} as payment
    from transaction_items
),

transactions_valued as (
    select
        order_id,
        refund_number,
        coalesce(lower({{ first_text(['payment.status']) }}), 'success') as status,
        coalesce(
            {{ money_from_text('payment.amount_set.shop_money.amount') }},
            {{ money_from_text('payment.amountset.shopmoney.amount') }},
            case
                when coalesce(upper({{ first_text(['payment.currency']) }}), currency) = currency
                    then {{ money_from_text('payment.amount') }}
                when upper(trim(payment.currency)) = presentment_currency
                    then {{ money('round(' ~ money_from_text('payment.amount') ~ ' * presentment_rate, 4)') }}
            end
        ) as amount
    from transactions_read
    where coalesce(lower({{ first_text(['payment.kind']) }}), 'refund') = 'refund'
),

paid_back as (
    select
        order_id,
        refund_number,
        {{ money("coalesce(sum(amount) filter (where status = 'success'), 0)") }} as money_back,
        bool_or(status = 'pending') as is_pending,
        bool_or(status = 'success' and amount is null) as is_amount_unknown
    from transactions_valued
    group by order_id, refund_number
)

select
    visible.order_id,
    visible.order_source,
    visible.position as refund_number,
    visible.refunded_at,
    coalesce(visible.refund.refund_line_items, visible.refund.refundlineitems.nodes, '[]') as refund_lines,
    -- NULL where no transaction tells, and where one of them cannot be read in the shop's currency
    coalesce(
        case when not paid_back.is_amount_unknown then paid_back.money_back end,
        {{ money_from_text('visible.refund.totalrefundedset.shopmoney.amount') }}
    ) as money_back,
    coalesce(paid_back.is_pending, false) as is_pending,
    coalesce(paid_back.is_amount_unknown, false) as is_amount_unknown,
    -- An adjustment is written as what the shop loses, below zero
    coalesce(
        0 - {{ money(list_money(
            'visible.refund.order_adjustments',
            'case when ' ~ is_shipping ~ ' then 0 else ' ~ shop_amount('part.amount', 'part.amount_set') ~ ' end',
            'part'
        )) }},
        0 - {{ money(list_money(
            'visible.refund.orderadjustments.nodes', money_from_text('part.amountset.shopmoney.amount'), 'part'
        )) }},
        0
    ) as discrepancy,
    -- Shopify says what goes back of the shipping in one of two places; told in both it is the same money
    {%- for column, (in_rest, in_graphql, in_adjustment) in shipping_amounts.items() %}
    greatest(
        coalesce(
            {{ money(list_money(
                'visible.refund.refund_shipping_lines', shop_amount('part.' ~ in_rest, 'part.' ~ in_rest ~ '_set'), 'part'
            )) }},
            {{ money(list_money(
                'visible.refund.refundshippinglines.nodes', money_from_text('part.' ~ in_graphql ~ '.shopmoney.amount'), 'part'
            )) }},
            0
        ),
        coalesce(0 - {{ money(list_money(
            'visible.refund.order_adjustments',
            'case when ' ~ is_shipping ~ ' then '
            ~ shop_amount('part.' ~ in_adjustment, 'part.' ~ in_adjustment ~ '_set') ~ ' end',
            'part'
        )) }}, 0)
    ) as {{ column }},
    {%- endfor %}
    -- NULL where no amount is told: int_order_refund_duties then works it out of the duties that are named
    coalesce(
        {{ money_from_text('visible.refund.total_duties_set.shop_money.amount') }},
        {{ money(list_money(
            'visible.refund.duties',
            'coalesce(' ~ shop_amount('part.amount', 'part.amount_set') ~ ', ' ~ money_from_text('part.amountset.shopmoney.amount') ~ ')',
            'part'
        )) }}
    ) as duties_back,
    nullif(visible.refund.refund_duties, '[]') as refund_duties
from visible
left join paid_back
    on visible.order_id = paid_back.order_id and visible.position = paid_back.refund_number
