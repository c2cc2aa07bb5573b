{%- set min_views = var('consideration_min_product_views') -%}
{%- set forever = "timestamp '9999-12-31 00:00:00'" -%}

with people as (
    select * from {{ ref('int_customers') }}
),

sessions as (
    select * from {{ ref('fct_web_sessions') }}
    where customer_visit_number is not null
),

visits as (
    select
        customer_id,
        min(started_at) as first_visit_at,
        max(case when customer_visit_number = 1 then marketing_channel end) as first_marketing_channel,
        min(case when customer_visit_number >= {{ var('consideration_min_visits') }} then started_at end)
            as enough_visits_at,
        min(first_wishlist_at) as wishlist_at,
        min(first_cart_at) as cart_at,
        min(first_checkout_at) as checkout_at
    from sessions
    group by customer_id
),

{% if min_views <= 3 -%}
-- A visit keeps its first three product views, which always include the person's third.
views as (
    {%- for view in range(1, 4) %}
    select
        customer_id,
        session_id || '-{{ view }}' as view_key,
        product_view_{{ view }}_at as viewed_at
    from sessions
    where product_view_{{ view }}_at is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),
{%- else -%}
views as (
    select
        customer_id,
        event_id as view_key,
        occurred_at as viewed_at
    from {{ ref('int_web_interactions') }}
    where event_name = 'Product Viewed' and customer_id is not null
),
{%- endif %}

enough_views as (
    select
        customer_id,
        viewed_at as enough_views_at
    from views
    qualify row_number() over (partition by customer_id order by viewed_at, view_key) = {{ min_views }}
),

many_orders as (
    select {{ threshold('advocacy_min_orders') }} as order_count
),

orders as (
    select
        customer_id,
        min(ordered_at) as first_order_at,
        min(case when customer_order_number >= {{ var('advocacy_min_orders_with_signal') }} then ordered_at end)
            as some_orders_at,
        min(case when customer_order_number >= many_orders.order_count then ordered_at end)
            as many_orders_at
    from {{ ref('fct_orders') }}
    cross join many_orders
    where customer_order_number is not null
    group by customer_id
),

signals as (
    select
        customer_id,
        kind as signal_kind,
        occurred_at as signal_at
    from {{ ref('int_feedback_resolved') }}
    where customer_id is not null and kind in ('referral', 'review', 'share')
    qualify row_number() over (partition by customer_id order by occurred_at, kind, feedback_key) = 1
),

reached as (
    select
        people.customer_id,
        visits.first_marketing_channel,
        visits.first_visit_at,
        visits.enough_visits_at,
        visits.wishlist_at,
        visits.cart_at,
        signals.signal_kind,
        orders.many_orders_at,
        people.first_seen_at as awareness_at,
        least(visits.enough_visits_at, enough_views.enough_views_at) as consideration_at,
        least(visits.wishlist_at, visits.cart_at, visits.checkout_at) as acquisition_at,
        orders.first_order_at as purchase_at,
        least(
            orders.many_orders_at,
            case
                when orders.some_orders_at is not null and signals.signal_at is not null
                    then greatest(orders.some_orders_at, signals.signal_at)
            end
        ) as advocacy_at
    from people
    left join visits on people.customer_id = visits.customer_id
    left join enough_views on people.customer_id = enough_views.customer_id
    left join orders on people.customer_id = orders.customer_id
    left join signals on people.customer_id = signals.customer_id
),

-- A stage lasts until the first moment of any later one; a stage that a later one forestalls is
-- skipped, and nobody goes back.
bounded as (
    select
        *,
        least(consideration_at, acquisition_at, purchase_at, advocacy_at) as awareness_until,
        least(acquisition_at, purchase_at, advocacy_at) as consideration_until,
        least(purchase_at, advocacy_at) as acquisition_until,
        advocacy_at as purchase_until,
        cast(null as timestamp) as advocacy_until
    from reached
),

final as (
    {%- for stage in journey_stages() %}
    select
        customer_id,
        '{{ stage }}' as stage,
        {{ loop.index }} as stage_number,
        {{ stage_reason(stage) }} as entry_reason,
        {{ stage }}_until is null as is_current,
        {{ stage }}_at as entered_at,
        {{ stage }}_until as exited_at
    from bounded
    where {{ stage }}_at is not null and {{ stage }}_at < coalesce({{ stage }}_until, {{ forever }})
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from final
