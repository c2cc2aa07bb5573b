{#- The last days of the timeline, with what triggers need to know of each step. -#}
{%- set days = [var('abandoned_max_days'), var('high_intent_window_days')] | max -%}
{#- One more day, so that a trigger's own boundary and not this window decides. -#}
{%- set window_start = before_as_of(days + 1, 'day') -%}

with timeline as (
    select interaction_id
    from {{ ref('fct_interactions') }}
    where
        occurred_at >= {{ window_start }}
        and kind in (
            'product_viewed', 'product_added', 'product_removed', 'cart_viewed', 'checkout_started', 'order_completed'
        )
),

-- With the event's own words about the product, cart and page, which the timeline leaves out
interactions as (
    select events.*
    from {{ ref('int_web_interactions') }} as events
    inner join timeline
        on timeline.interaction_id = {{ key_number(["'web'", 'events.event_id', 'events.visitor_id']) }}
    where events.occurred_at >= {{ window_start }} and events.customer_id is not null
),

-- Any order that was placed counts here, also one cancelled since: it answered the cart.
orders as (
    select
        customer_id,
        max(ordered_at) as last_placed_at
    from {{ ref('fct_orders') }}
    where
        ordered_at >= {{ window_start }}
        and status <> 'test'
        and (gross_sales > 0 or gift_cards_sold > 0)
    group by customer_id
),

-- A cart is bought by its token, whoever's address stands on the order. Sites write the order's tokens into either
-- of the two fields; the number of a checkout is one of its own.
bought_carts as (
    select
        calls.call_of,
        calls.cart_call,
        max(calls.bought_at) as bought_at
    from (
        {%- for token, call_of in [
            ('cart_token', 'cart'), ('cart_token', 'checkout'), ('checkout_token', 'cart'),
            ('checkout_token', 'checkout'), ('checkout_id', 'checkout'),
        ] %}
        select
            '{{ call_of }}' as call_of,
            {{ cart_call(token) }} as cart_call,
            ordered_at as bought_at
        from {{ ref('int_orders_resolved') }}
        where
            ordered_at >= {{ window_start }}
            and status <> 'test'
            and (gross_sales > 0 or gift_cards_sold > 0)
        union all
        {%- endfor %}
        {%- for call_of in ['cart', 'checkout'] %}
        select
            '{{ call_of }}' as call_of,
            {{ cart_call(call_of ~ '_id') }} as cart_call,
            occurred_at as bought_at
        from interactions
        where event_name = 'Order Completed'
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as calls
    where calls.cart_call is not null
    group by calls.call_of, calls.cart_call
),

cart_calls as (
    {%- for call_of in ['cart', 'checkout'] %}
    select
        event_id,
        customer_id,
        '{{ call_of }}' as call_of,
        {{ cart_call(call_of ~ '_id') }} as cart_call
    from interactions
    where {{ call_of }}_id is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

cart_steps as (
    select
        cart_calls.event_id,
        cart_calls.customer_id,
        max(bought_carts.bought_at) as bought_at
    from cart_calls
    inner join bought_carts
        on cart_calls.cart_call = bought_carts.cart_call and cart_calls.call_of = bought_carts.call_of
    group by cart_calls.event_id, cart_calls.customer_id
),

purchases as (
    select
        customer_id,
        max(bought_at) as last_bought_at
    from cart_steps
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

catalogue as (
    select * from {{ ref('dim_products') }}
),

-- A code stands for the product that the shop sells under it; of several, the one sold most.
codes as (
    select
        sku,
        product_name,
        category
    from catalogue
    where sku is not null
    qualify row_number() over (partition by sku order by order_count desc, product_id) = 1
),

final as (
    select
        interactions.event_id,
        interactions.customer_id,
        interactions.session_id,
        interactions.event_name,
        interactions.event_name in ('Product Added', 'Product Removed', 'Cart Viewed', 'Checkout Started')
            as is_cart_event,
        cart_steps.event_id is null
        and interactions.occurred_at > coalesce(
            greatest(orders.last_placed_at, completions.last_completed_at, purchases.last_bought_at),
            timestamp '1900-01-01 00:00:00'
        ) as is_after_last_order,
        coalesce(catalogue.product_id, {{ plain_code('interactions.product_id') }}) as product_id,
        coalesce(catalogue.sku, codes.sku, {{ plain_code('interactions.sku') }}) as sku,
        coalesce(interactions.product_id, interactions.sku, interactions.product_name) as product_key,
        coalesce(catalogue.product_name, codes.product_name, {{ plain_words('interactions.product_name') }})
            as product_name,
        coalesce(catalogue.category, codes.category, {{ plain_words('interactions.category') }}) as category,
        {{ plain_code('interactions.cart_id') }} as cart_id,
        {{ own_link('interactions.page_url') }} as page_url,
        interactions.price,
        interactions.quantity,
        greatest(orders.last_placed_at, completions.last_completed_at, purchases.last_bought_at) as last_order_at,
        interactions.occurred_at
    from interactions
    left join catalogue on interactions.product_id = catalogue.product_id
    left join codes on catalogue.product_id is null and interactions.sku = codes.sku
    left join orders on interactions.customer_id = orders.customer_id
    left join completions on interactions.customer_id = completions.customer_id
    left join purchases on interactions.customer_id = purchases.customer_id
    left join cart_steps
        on interactions.event_id = cart_steps.event_id and interactions.customer_id = cart_steps.customer_id
)

select * from final
