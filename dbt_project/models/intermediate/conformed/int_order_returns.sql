{#-
    What came back of each line of a JSON order. A line gives back at most what was paid for it; what a refund
    gives beyond its lines, or a line beyond its price, goes to the other lines by what is left of them. An
    order that is cancelled, voided or refunded without a word on how much leaves nothing behind.
-#}
with documents as (
    select
        order_id,
        is_cancelled or is_voided or is_wholly_back as is_wholly_back
    from {{ ref('int_order_documents') }}
),

items as (
    select
        order_id,
        order_source,
        line_id,
        line_number,
        quantity,
        gross_sales - discounts as net,
        gross_sales - discounts + taxes as paid,
        row_number() over (partition by order_id, line_id order by line_number) as occurrence
    from {{ ref('int_order_items') }}
),

refunds as (
    select *
    from {{ ref('int_order_refunds') }}
),

refund_lines as (
    select
        *,
        {{ money('sum(amount) over refund_lines') }} as amount_up_to_here
    from (
        select
            order_id,
            refund_number,
            refund_line_number,
            line_id,
            returned_quantity,
            -- A gift card or tip that went back takes no goods with it
            case when line_kind = 'goods' then returns else {{ money('0') }} end as returns,
            case when line_kind = 'goods' then amount else {{ money('0') }} end as amount
        from {{ ref('int_order_refund_lines') }}
    ) as goods_lines
    window refund_lines as (partition by order_id, refund_number order by refund_line_number rows unbounded preceding)
),

-- A refund of less than its lines is a fee: each of its lines counts less
after_fee as (
    select
        refund_lines.order_id,
        refund_lines.line_id,
        refund_lines.returned_quantity,
        refund_lines.returns,
        refund_lines.amount,
        case
            when refunds.goods_back >= refunds.lines_back then refund_lines.amount
            else {{ part_by_weight(
                'refunds.goods_back', 'refund_lines.amount', 'refund_lines.amount_up_to_here', 'refunds.lines_back'
            ) }}
        end as amount_back
    from refund_lines
    inner join refunds
        on refund_lines.order_id = refunds.order_id and refund_lines.refund_number = refunds.refund_number
),

line_refunds as (
    select
        order_id,
        line_id,
        -- Of lines that share an id, the first gets what is said of it
        1 as occurrence,
        {{ money('sum(amount_back)') }} as amount_back,
        {{ money('sum(case
            when amount_back = amount then returns else round(returns * amount_back / nullif(amount, 0), 4)
        end)') }} as returns,
        {{ money('sum(returned_quantity)') }} as returned_quantity
    from after_fee
    group by order_id, line_id
),

goods_back as (
    select
        order_id,
        {{ money('sum(goods_back)') }} as goods_back
    from refunds
    group by order_id
),

claimed as (
    select
        items.*,
        documents.is_wholly_back,
        coalesce(goods_back.goods_back, 0) as goods_back,
        coalesce(line_refunds.amount_back, 0) as amount_back,
        coalesce(line_refunds.returns, 0) as line_returns,
        coalesce(line_refunds.returned_quantity, 0) as returned_quantity
    from items
    inner join documents on items.order_id = documents.order_id
    left join goods_back on items.order_id = goods_back.order_id
    left join line_refunds
        on
            items.order_id = line_refunds.order_id
            and items.line_id = line_refunds.line_id
            and items.occurrence = line_refunds.occurrence
),

capped as (
    select
        *,
        least(amount_back, greatest(paid, 0)) as own_back,
        greatest(paid, 0) - least(amount_back, greatest(paid, 0)) as left_over
    from claimed
),

running as (
    select
        *,
        {{ money('sum(own_back) over (partition by order_id)') }} as own_back_total,
        {{ money('sum(left_over) over (partition by order_id)') }} as left_over_total,
        {{ money('sum(left_over) over order_lines') }} as left_over_up_to_here
    from capped
    window order_lines as (partition by order_id order by line_number, line_id rows unbounded preceding)
),

shared as (
    select
        *,
        {{ part_by_weight(
            'least(greatest(goods_back - own_back_total, 0), left_over_total)',
            'left_over', 'left_over_up_to_here', 'left_over_total'
        ) }} as shared_back
    from running
),

split as (
    select
        *,
        case
            when own_back >= paid then net
            else least(line_returns, net)
        end as own_returns
    from shared
),

returned as (
    select
        *,
        case
            when is_wholly_back or own_back + shared_back >= paid then net
            else
                own_returns
                + coalesce({{ money('round((net - own_returns) * shared_back / nullif(left_over, 0), 4)') }}, 0)
        end as returns,
        case when is_wholly_back then paid else own_back + shared_back end as back
    from split
)

select
    order_id,
    order_source,
    line_id,
    line_number,
    {{ money('returns') }} as returns,
    {{ money('greatest(back - returns, 0)') }} as returned_taxes,
    {{ money('back') }} as amount_back,
    case when is_wholly_back then quantity else returned_quantity end as returned_quantity
from returned
where is_wholly_back or back > 0 or returned_quantity > 0
