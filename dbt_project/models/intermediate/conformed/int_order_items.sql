{#-
    Lines of JSON orders with what belongs to each: its tax and its discount. What the source gives for the
    whole order only (a code that no line names, a tax) is spread over the goods by their value. Spreading
    by running totals makes the parts add up to the whole exactly. What came back is in int_order_returns.
-#}
with documents as (
    select
        order_id,
        order_source,
        is_taxes_included,
        coalesce(taxes, 0) as order_taxes,
        greatest(coalesce(discounts, 0) - shipping_discounts, 0) as order_discounts,
        subtotal,
        tips as stated_tips,
        _row_id
    from {{ ref('int_order_documents') }}
),

items as (
    select * from {{ ref('stg_orders__order_items') }}
    union all
    select * from {{ ref('stg_shopify__order_items') }}
),

valued as (
    select
        items.*,
        documents.order_source,
        documents.is_taxes_included,
        documents.order_taxes,
        documents.order_discounts,
        documents.subtotal,
        documents.stated_tips,
        -- Multiplied before it is rounded: a price per gram has more digits than money
        {{ money('round(coalesce(items.quantity, 0) * greatest(coalesce(items.unit_price, 0), 0), 4)') }} as value_as_written,
        -- A negative price is an adjustment of the books, neither a sale nor a return
        {{ money('round(coalesce(items.quantity, 0) * least(coalesce(items.unit_price, 0), 0), 4)') }} as adjustments,
        items.line_kind = 'goods' and items.product_id is null and items.sku is null as is_no_product
    from items
    inner join documents on items._row_id = documents._row_id
),

-- A tip may stand among the lines like any product: it has none, and is called a tip or comes to just what the
-- order says of tips. The subtotal is without tips, so where it holds all lines none of them is one.
tip_lines as (
    select
        order_id,
        line_number
    from (
        select
            *,
            {{ is_called_a_tip('product_name') }} as is_named,
            row_number() over (
                partition by order_id, is_no_product and value_as_written = stated_tips and stated_tips > 0
                order by line_number desc
            ) as place_from_last,
            bool_or(line_kind = 'tip' or (is_no_product and {{ is_called_a_tip('product_name') }}))
                over (partition by order_id) as has_named_tip,
            coalesce(
                subtotal <= sum(value_as_written) over (partition by order_id) - stated_tips,
                true
            ) as is_outside_subtotal
        from valued
    ) as candidates
    where
        is_no_product
        and (
            is_named
            or (
                stated_tips > 0
                and value_as_written = stated_tips
                and is_outside_subtotal
                and place_from_last = 1
                and not has_named_tip
            )
        )
),

lines as (
    select
        valued.*,
        case when tip_lines.order_id is not null then 'tip' else valued.line_kind end as kind
    from valued
    left join tip_lines on valued.order_id = tip_lines.order_id and valued.line_number = tip_lines.line_number
),

goods as (
    select
        *,
        case when kind = 'goods' then value_as_written else {{ money('0') }} end as goods_value,
        least(greatest(line_discount, 0), value_as_written) as stated_discount,
        case
            when kind = 'goods' then least(greatest(line_discount, 0), value_as_written) else {{ money('0') }}
        end as own_discount
    from lines
),

totals as (
    select
        order_id,
        {{ money('sum(goods_value)') }} as order_value,
        {{ money('sum(goods_value - own_discount)') }} as discountable,
        {{ money('sum(stated_discount)') }} as stated_discounts,
        {{ money("sum(case when kind = 'tip' then 0 else value_as_written end)") }} as full_price,
        count(line_tax) > 0 as has_line_taxes
    from goods
    group by order_id
),

shares as (
    select
        goods.*,
        totals.order_value,
        totals.discountable,
        -- The subtotal is the lines after their discounts, so what it does not leave out was not taken off them
        least(
            greatest(
                least(
                    goods.order_discounts, coalesce(totals.full_price - goods.subtotal, goods.order_discounts)
                ) - totals.stated_discounts,
                0
            ),
            totals.discountable
        ) as discount_to_spread,
        case when totals.has_line_taxes then 0 else goods.order_taxes end as tax_to_spread,
        {{ money('sum(goods.goods_value) over order_lines') }} as value_up_to_here,
        {{ money('sum(goods.goods_value - goods.own_discount) over order_lines') }}
            as discountable_up_to_here
    from goods
    inner join totals on goods.order_id = totals.order_id
    window order_lines as (partition by goods.order_id order by goods.line_number, goods.line_id rows unbounded preceding)
),

spread as (
    select
        *,
        own_discount
        + {{ part_by_weight('discount_to_spread', '(goods_value - own_discount)', 'discountable_up_to_here', 'discountable') }}
            as discounts,
        case when kind = 'goods' and coalesce(unit_price, 0) >= 0 then coalesce(line_tax, 0) else 0 end
        + {{ part_by_weight('tax_to_spread', 'goods_value', 'value_up_to_here', 'order_value') }} as taxes
    from shares
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
    kind as line_kind,
    {{ money('goods_value - case when is_taxes_included then taxes else 0 end') }} as gross_sales,
    {{ money('discounts') }} as discounts,
    {{ money('taxes') }} as taxes,
    -- A gift card is money kept for later, a tip is the staff's: neither is a sale of goods
    {{ money('value_as_written - stated_discount - goods_value + own_discount') }} as other_amount,
    adjustments
from spread
