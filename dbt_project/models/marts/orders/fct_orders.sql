with orders as (
    select
        *,
        status not in ('cancelled', 'voided', 'test') as is_counted
    from {{ ref('int_orders_resolved') }}
),

-- Numbered apart, so that the sort carries three columns and not forty.
numbered as (
    select
        order_id,
        row_number() over (
            partition by customer_id
            order by ordered_at, order_id
        ) as customer_order_number
    from orders
    where customer_id is not null and is_kept
),

-- Gift cards and tips are no goods; an order whose every good has a known cost has one too
costs as (
    select
        order_source,
        order_id,
        case
            when count(*) filter (where line_kind = 'goods' and cost_shop is null) = 0
                then coalesce(sum(cost_shop) filter (where line_kind = 'goods'), 0)
        end as cost_shop
    from {{ ref('int_order_lines_resolved') }}
    group by order_source, order_id
),

final as (
    select
        orders.order_id,
        orders.customer_id,
        orders.shop_id,
        orders.store_id,
        orders.order_source,
        orders.status,
        orders.is_kept,
        orders.is_counted,
        numbered.customer_order_number,
        orders.sales_channel,
        orders.country_code,
        orders.is_card_paid,
        orders.discount_code,
        orders.landing_site,
        orders.referring_site,
        orders.accepts_marketing,
        orders.is_gift,
        orders.ships_elsewhere,
        orders.occasion,
        orders.gross_sales,
        orders.discounts,
        orders.returns,
        orders.net_sales,
        orders.shipping,
        orders.taxes,
        orders.total_sales,
        orders.gift_cards_sold,
        orders.tips,
        orders.adjustments,
        orders.currency,
        orders.gross_sales_shop,
        orders.discounts_shop,
        orders.returns_shop,
        orders.net_sales_shop,
        orders.total_sales_shop,
        cast(costs.cost_shop as decimal(18, 4)) as cost_shop,
        cast(orders.net_sales_shop - costs.cost_shop as decimal(18, 4)) as margin_shop,
        '{{ var("shop_currency") }}' as shop_currency,
        orders.conversion_issue,
        orders.ordered_date,
        orders.ordered_at,
        orders.created_at,
        orders.cancelled_at,
        orders.refunded_at
    from orders
    left join numbered on orders.order_id = numbered.order_id
    left join costs on orders.order_source = costs.order_source and orders.order_id = costs.order_id
)

select * from final
