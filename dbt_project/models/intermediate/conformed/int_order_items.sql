{#-
    Lines of JSON orders with what belongs to each: its tax, its discount, what came back. What the
    source gives for the whole order only (a discount code, a tax, an amount refunded) is spread over
    the lines by their value. Spreading by running totals makes the parts add up to the whole exactly.
-#}
with documents as (
    select
        order_id,
        order_source,
        is_taxes_included,
        cancelled_at <= {{ as_of() }} as is_cancelled,
        coalesce(taxes, 0) as order_taxes,
        discounts as order_discounts,
        _row_id
    from {{ ref('int_order_documents') }}
),

items as (
    select * from {{ ref('stg_orders__order_items') }}
    union all
    select * from {{ ref('stg_shopify__order_items') }}
),

line_refunds as (
    select
        order_id,
        line_id,
        {{ money('sum(returns)') }} as line_returns,
        {{ money('sum(returned_quantity)') }} as returned_quantity
    from {{ ref('int_order_refunds') }}
    where line_id is not null
    group by order_id, line_id
),

amount_refunds as (
    select
        order_id,
        {{ money('sum(refunded_amount)') }} as refunded_amount
    from {{ ref('int_order_refunds') }}
    where line_id is null
    group by order_id
),

lines as (
    select
        items.*,
        documents.order_source,
        documents.is_taxes_included,
        coalesce(documents.is_cancelled, false) as is_cancelled,
        documents.order_taxes,
        documents.order_discounts,
        -- A negative price is an adjustment of the books, neither a sale nor a return
        coalesce(items.unit_price < 0, false) as is_adjustment,
        {{ money('coalesce(items.quantity, 0) * greatest(coalesce(items.unit_price, 0), 0)') }} as value_as_written,
        {{ money('coalesce(items.quantity, 0) * least(coalesce(items.unit_price, 0), 0)') }} as adjustments,
        coalesce(line_refunds.line_returns, 0) as line_returns,
        coalesce(line_refunds.returned_quantity, 0) as returned_quantity,
        coalesce(amount_refunds.refunded_amount, 0) as refunded_amount
    from items
    inner join documents on items._row_id = documents._row_id
    left join line_refunds
        on items.order_id = line_refunds.order_id and items.line_id = line_refunds.line_id
    left join amount_refunds on items.order_id = amount_refunds.order_id
),

totals as (
    select
        order_id,
        {{ money('sum(value_as_written)') }} as order_value,
        {{ money('sum(line_discount)') }} as line_discounts,
        count(line_tax) > 0 as has_line_taxes,
        {{ money('sum(line_returns)') }} as line_returns_total
    from lines
    group by order_id
),

shares as (
    select
        lines.*,
        totals.order_value,
        greatest(coalesce(lines.order_discounts, 0) - totals.line_discounts, 0) as discount_to_spread,
        case when totals.has_line_taxes then 0 else lines.order_taxes end as tax_to_spread,
        {{ money('sum(lines.value_as_written) over (order_lines rows unbounded preceding)') }} as value_up_to_here
    from lines
    inner join totals on lines.order_id = totals.order_id
    window order_lines as (partition by lines.order_id order by lines.line_number, lines.line_id)
),

spread as (
    select
        *,
        case
            when is_adjustment then 0
            else line_discount + {{ spread_over_lines('discount_to_spread') }}
        end as discounts,
        case
            when is_adjustment then 0
            else coalesce(line_tax, 0) + {{ spread_over_lines('tax_to_spread') }}
        end as taxes,
        {{ spread_over_lines('refunded_amount') }} as amount_returned
    from shares
),

valued as (
    select
        *,
        value_as_written - case when is_taxes_included then taxes else 0 end as gross_sales
    from spread
)

select
    order_id,
    order_source,
    line_id,
    line_number,
    product_id,
    sku,
    product_name,
    category,
    brand,
    quantity,
    unit_price,
    is_gift_card,
    {{ money('gross_sales') }} as gross_sales,
    {{ money('discounts') }} as discounts,
    -- A cancelled order leaves nothing behind; more than a line's value cannot come back
    {{ money('case
        when is_cancelled then gross_sales - discounts
        else least(
            line_returns + case when value_as_written = 0 then 0 else amount_returned * gross_sales / value_as_written end,
            gross_sales - discounts
        )
    end') }} as returns,
    case when is_cancelled then quantity else returned_quantity end as returned_quantity,
    adjustments
from valued
