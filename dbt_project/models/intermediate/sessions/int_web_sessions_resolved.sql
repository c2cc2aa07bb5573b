{{ config(materialized='view') }}

with sessions as (
    select *
    from {{ ref('int_web_session_owners') }}
),

traffic_sources as (
    select *
    from {{ ref('int_web_traffic_sources') }}
)

select
    sessions.session_id,
    sessions.visitor_id,
    sessions.customer_id,
    sessions.device_customer_id,
    sessions.login_customer_id,
    sessions.device_id,
    sessions.login_id,
    sessions.other_login_id,
    sessions.login_at,
    sessions.started_at,
    sessions.ended_at,
    sessions.event_count,
    sessions.event_checksum,
    sessions.page_view_count,
    sessions.product_view_count,
    sessions.product_view_1_at,
    sessions.product_view_2_at,
    sessions.product_view_3_at,
    sessions.first_wishlist_at,
    sessions.first_cart_at,
    sessions.last_cart_at,
    sessions.first_checkout_at,
    sessions.last_product_view_at,
    sessions.order_completed_count,
    sessions.landing_page_url,
    sessions.referrer,
    sessions.utm_source,
    sessions.utm_medium,
    sessions.utm_campaign,
    coalesce(traffic_sources.marketing_channel, 'direct') as marketing_channel,
    sessions.resolved_device_type as device_type,
    sessions.touchpoint,
    sessions.load_ms,
    sessions.country_code,
    sessions.city,
    sessions.is_bot,
    sessions.is_internal
from sessions
left join traffic_sources
    on
        coalesce(sessions.utm_source, '') = traffic_sources.utm_source
        and coalesce(sessions.utm_medium, '') = traffic_sources.utm_medium
        and coalesce(
            case when sessions.referrer_host is distinct from sessions.landing_host then sessions.referrer_host end, ''
        ) = traffic_sources.referrer_host
