{#-
    Lines of orders that only line files tell, with their money. What stands beside one line but is more
    than it (a discount or a refund of the order, which exports write on its first line) goes to the others
    by what is left of them. Running totals make the parts add up exactly.
-#}
with line_orders as (
    select *
    from {{ ref('int_order_line_orders') }}
    -- An order that came as JSON too is told better there
    where document_order_id is null
),

status_words as (
    {{ order_status_meanings() }}
),

lines as (
    select
        lines.*,
        line_orders.currency as order_currency,
        line_orders.is_cancelled or line_orders.is_voided or line_orders.is_wholly_back as is_order_back,
        line_orders.refunded_amount as order_refunded,
        -- A word or a date of this line alone, where the order's lines differ
        coalesce(status_words.meaning is not null or lines.cancelled_at <= {{ as_of() }}, false)
        and not (line_orders.is_cancelled or line_orders.is_voided or line_orders.is_wholly_back)
        and line_orders.refunded_amount = 0 as is_line_back,
        {{ money('coalesce(lines.line_amount, lines.priced_amount)') }} as amount,
        -- What a line came to has its discount taken off, unless it is the price for all its pieces
        lines.line_amount is not null
        and coalesce(abs(lines.line_amount - lines.priced_amount) > 0.01, true) as is_amount_discounted
    from {{ ref('stg_orders__order_lines') }} as lines
    inner join line_orders on lines.order_id = line_orders.order_id
    left join status_words on lines.status_word = status_words.word
),

valued as (
    select
        *,
        case
            when is_return_line or is_adjustment then {{ money('0') }}
            when is_amount_discounted then amount + line_discount
            else amount
        end as gross_sales,
        case
            when not is_return_line then {{ money('0') }}
            when is_amount_discounted then {{ money('abs(amount)') }}
            else {{ money('greatest(abs(amount) - line_discount, 0)') }}
        end as line_returns,
        row_number() over (partition by order_id order by ordered_at, line_id) as line_number
    from lines
),

discounted as (
    select
        *,
        case when is_return_line or is_adjustment then {{ money('0') }} else least(line_discount, gross_sales) end
            as own_discount
    from valued
),

discount_totals as (
    select
        *,
        {{ money('sum(case when is_return_line then 0 else line_discount - own_discount end) over (partition by order_id)') }}
            as discount_to_spread,
        {{ money('sum(gross_sales - own_discount) over (partition by order_id)') }} as discountable,
        {{ money('sum(gross_sales - own_discount) over order_lines') }} as discountable_up_to_here
    from discounted
    window order_lines as (partition by order_id order by line_number rows unbounded preceding)
),

with_discounts as (
    select
        *,
        {{ money('own_discount + ' ~ part_by_weight(
            'least(discount_to_spread, discountable)', '(gross_sales - own_discount)', 'discountable_up_to_here', 'discountable'
        )) }} as discounts
    from discount_totals
),

refund_totals as (
    select
        *,
        {{ money('sum(case when is_line_back then 0 else gross_sales - discounts end) over (partition by order_id)') }}
            as refundable,
        {{ money('sum(case when is_line_back then 0 else gross_sales - discounts end)
            over order_lines') }} as refundable_up_to_here
    from with_discounts
    window order_lines as (partition by order_id order by line_number rows unbounded preceding)
)

select
    order_id,
    line_id,
    line_number,
    sku,
    product_name,
    category,
    quantity,
    coalesce(unit_price, cast(line_amount / nullif(quantity, 0) as decimal(26, 12))) as unit_price,
    gross_sales,
    discounts,
    {{ money('line_returns + case
        when is_order_back or is_line_back then gross_sales - discounts
        else ' ~ part_by_weight(
            'least(order_refunded, refundable)', '(gross_sales - discounts)', 'refundable_up_to_here', 'refundable'
        ) ~ '
    end') }} as returns,
    case when is_return_line or is_order_back or is_line_back then abs(quantity) else {{ money('0') }} end
        as returned_quantity,
    case when is_adjustment then amount else {{ money('0') }} end as adjustments,
    is_return_line,
    order_currency as currency,
    ordered_at
from refund_totals
