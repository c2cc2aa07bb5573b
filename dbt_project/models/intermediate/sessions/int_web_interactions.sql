{#-
    What people did on the site. An event with a login is that login's person's; later in the same visit,
    so is one without; before the login it is the device's, which on a shared device is an anonymous
    profile of its own.
-#}
{{ config(materialized='view') }}

with events as (
    select *
    from {{ ref('int_web_events') }}
    where occurred_at <= {{ as_of() }}
),

sessions as (
    select *
    from {{ ref('int_web_session_owners') }}
    where not is_bot and not is_internal
),

login_owners as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
    where identifier_type = 'login' and customer_id is not null
)

select
    events.event_id,
    events.visitor_id,
    case
        when events.login_id is not null then coalesce(login_owners.customer_id, sessions.device_customer_id)
        when events.occurred_at >= sessions.login_at then sessions.customer_id
        else sessions.device_customer_id
    end as customer_id,
    sessions.session_id,
    sessions.device_id,
    events.occurred_at,
    events.event_name,
    events.product_id,
    events.sku,
    events.product_name,
    events.category,
    events.brand,
    events.price,
    events.quantity,
    events.order_id,
    events.cart_id,
    events.checkout_id,
    events.search_query,
    events.answers,
    events.page_url
from events
-- Visits of one visitor never overlap, so each event is in exactly one
inner join sessions
    on
        events.visitor_id = sessions.visitor_id
        and events.occurred_at >= sessions.started_at
        and events.occurred_at <= sessions.ended_at
left join login_owners on events.login_id = login_owners.raw_value
