{%- set days = [var('abandoned_max_days'), var('high_intent_window_days')] | max -%}
{#- One more day, so that a trigger's own boundary and not this window decides. -#}
{%- set window_start = before_as_of(days + 1, 'day') -%}

with interactions as (
    select *
    from {{ ref('int_web_interactions') }}
    where
        occurred_at >= {{ window_start }}
        and customer_id is not null
        and event_name in (
            'Product Viewed', 'Product Added', 'Product Removed', 'Cart Viewed',
            'Checkout Started', 'Order Completed'
        )
),

-- Any order that was placed counts here, also one cancelled since: it answered the cart.
orders as (
    select
        customer_id,
        max(ordered_at) as last_placed_at
    from {{ ref('fct_orders') }}
    where ordered_at >= {{ window_start }} and status <> 'test' and gross_sales > 0
    group by customer_id
),

completions as (
    select
        customer_id,
        max(occurred_at) as last_completed_at
    from interactions
    where event_name = 'Order Completed'
    group by customer_id
),

final as (
    select
        interactions.event_id,
        interactions.customer_id,
        interactions.session_id,
        interactions.event_name,
        interactions.event_name in ('Product Added', 'Product Removed', 'Cart Viewed', 'Checkout Started')
            as is_cart_event,
        interactions.occurred_at > coalesce(
            greatest(orders.last_placed_at, completions.last_completed_at),
            timestamp '1900-01-01 00:00:00'
        ) as is_after_last_order,
        interactions.product_id,
        interactions.sku,
        coalesce(interactions.product_id, interactions.sku, interactions.product_name) as product_key,
        interactions.product_name,
        interactions.category,
        interactions.cart_id,
        interactions.page_url,
        interactions.price,
        interactions.quantity,
        greatest(orders.last_placed_at, completions.last_completed_at) as last_order_at,
        interactions.occurred_at
    from interactions
    left join orders on interactions.customer_id = orders.customer_id
    left join completions on interactions.customer_id = completions.customer_id
)

select * from final
