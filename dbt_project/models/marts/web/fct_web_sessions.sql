with sessions as (
    select
        *,
        not is_bot and not is_internal as is_human
    from {{ ref('int_web_sessions_resolved') }}
),

final as (
    select
        session_id,
        customer_id,
        device_id,
        login_id,
        case
            when customer_id is not null and is_human
                then row_number() over (
                    partition by customer_id, is_human
                    order by started_at, session_id
                )
        end as customer_visit_number,
        is_human,
        is_bot,
        is_internal,
        marketing_channel,
        utm_source,
        utm_medium,
        utm_campaign,
        referrer,
        landing_page_url,
        device_type,
        event_count,
        page_view_count,
        product_view_count,
        order_completed_count,
        product_view_1_at,
        product_view_2_at,
        product_view_3_at,
        last_product_view_at,
        first_wishlist_at,
        first_cart_at,
        last_cart_at,
        first_checkout_at,
        started_at,
        ended_at
    from sessions
)

select * from final
