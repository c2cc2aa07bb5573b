with sessions as (
    select
        *,
        not is_bot and not is_internal as is_human
    from {{ ref('int_web_sessions_resolved') }}
),

-- Numbered apart, so that the sort carries three columns and not thirty.
numbered as (
    select
        session_id,
        row_number() over (
            partition by customer_id
            order by started_at, session_id
        ) as customer_visit_number
    from sessions
    where customer_id is not null and is_human
),

final as (
    select
        sessions.session_id,
        sessions.customer_id,
        sessions.device_id,
        sessions.login_id,
        numbered.customer_visit_number,
        sessions.is_human,
        sessions.is_bot,
        sessions.is_internal,
        sessions.marketing_channel,
        sessions.utm_source,
        sessions.utm_medium,
        sessions.utm_campaign,
        sessions.referrer,
        sessions.landing_page_url,
        sessions.device_type,
        sessions.event_count,
        sessions.page_view_count,
        sessions.product_view_count,
        sessions.order_completed_count,
        sessions.product_view_1_at,
        sessions.product_view_2_at,
        sessions.product_view_3_at,
        sessions.last_product_view_at,
        sessions.first_wishlist_at,
        sessions.first_cart_at,
        sessions.last_cart_at,
        sessions.first_checkout_at,
        sessions.started_at,
        sessions.ended_at
    from sessions
    left join numbered on sessions.session_id = numbered.session_id
)

select * from final
