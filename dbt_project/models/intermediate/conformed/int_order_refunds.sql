{#-
    How much of each refund went back for goods, tax included. The money that was really given back decides:
    more than the lines is goodwill, less is a fee that the shop kept. Where no money moved (a line taken out
    of an order) or none can be read, the lines and the adjustments decide.
-#}
with refunds as (
    select *
    from {{ ref('int_order_refunds_read') }}
),

line_sums as (
    select
        order_id,
        refund_number,
        {{ money("sum(case when line_kind = 'goods' then amount else 0 end)") }} as lines_back,
        {{ money("sum(case when line_kind = 'goods' then 0 else amount end)") }} as other_lines_back,
        {{ money("sum(case when line_kind = 'goods' then 0 else returned_taxes end)") }} as other_taxes_back
    from {{ ref('int_order_refund_lines') }}
    group by order_id, refund_number
),

duties as (
    select *
    from {{ ref('int_order_refund_duties') }}
),

weighed as (
    select
        refunds.*,
        coalesce(line_sums.lines_back, 0) as lines_back,
        coalesce(line_sums.other_taxes_back, 0) as other_taxes_back,
        refunds.money_back
        - refunds.shipping_back
        - refunds.shipping_taxes_back
        - coalesce(refunds.duties_back, duties.duties_back, 0)
        - coalesce(line_sums.other_lines_back, 0) as money_for_goods,
        -- Money went back at no rate that is known, and nothing else says what it was for
        refunds.is_amount_unknown
        and refunds.money_back is null
        and line_sums.order_id is null
        and refunds.discrepancy = 0
        and refunds.shipping_back = 0
        and coalesce(refunds.duties_back, duties.duties_back, 0) = 0 as is_unknown
    from refunds
    left join line_sums
        on refunds.order_id = line_sums.order_id and refunds.refund_number = line_sums.refund_number
    left join duties
        on refunds.order_id = duties.order_id and refunds.refund_number = duties.refund_number
)

select
    order_id,
    order_source,
    refund_number,
    refunded_at,
    {{ money('case
        when money_back > 0 and not (is_pending and money_for_goods < lines_back) then greatest(money_for_goods, 0)
        when money_back is null then greatest(lines_back + discrepancy, 0)
        else lines_back
    end') }} as goods_back,
    lines_back,
    shipping_back,
    shipping_taxes_back + other_taxes_back as other_taxes_back,
    is_amount_unknown,
    is_unknown
from weighed
