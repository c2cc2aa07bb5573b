{#-
    Visits: a visitor's events without a silence longer than the limit, and without a change of login.

    The visible events of each visitor are compared with what this table was built from, by count and
    checksum, and only visitors that differ are built again, whole. That heals by itself whatever the
    reason is: new or late events of any age, `as_of` moved either way, an earlier run that failed.
    Visitors without visible events may keep rows from a later `as_of`; readers take only
    `started_at <= as_of`.

    Two sorts run over narrow rows; the landing page and its like are fetched afterwards.
-#}
{{ config(materialized='incremental', unique_key='visitor_id', incremental_strategy='delete+insert') }}

{%- set cart_events = "('Product Added', 'Product Removed', 'Cart Viewed')" %}
{#- With the load: another delivery of an event may say something else. -#}
{%- set checksum = hash_number('event_id, occurred_at, login_id, _dlt_load_id') %}

{#- Not a CTE: one that is read several times is written out whole, and this one is wide. -#}
{%- set events_table = ref('int_web_events') %}

with {% if is_incremental() -%}
changed_visitors as (
    {{ changed_visitors(events_table, this, checksum) | indent(4) }}
),
{%- endif %}

events as (
    select
        visitor_id,
        {{ hash_number('visitor_id') }} as visitor_hash,
        occurred_at,
        login_id,
        event_name,
        {{ checksum }} as event_checksum
    from {{ events_table }}
    where
        occurred_at <= {{ as_of() }}
        {%- if is_incremental() %}
        and visitor_id in (select visitor_id from changed_visitors)
    {%- endif %}
),

beside_previous as (
    select
        *,
        lag(occurred_at) over in_order as previous_at,
        lead(occurred_at) over in_order as next_at,
        {{ ignoring_nulls('lag', 'login_id') }} over in_order as previous_login_id
    from events
    window in_order as (partition by visitor_hash order by occurred_at, login_id nulls last, event_checksum)
),

starts as (
    select
        *,
        -- Events of one instant stay together, so a visit is named by its visitor and start
        previous_at is null
        or occurred_at > previous_at + interval {{ var('session_inactivity_minutes') }} minute
        or (occurred_at > previous_at and coalesce(login_id <> previous_login_id, false)) as is_start
    from beside_previous
),

numbered as (
    select
        *,
        sum(case when is_start then 1 else 0 end) over (
            partition by visitor_hash
            order by occurred_at, login_id nulls last, event_checksum
            rows unbounded preceding
        ) as session_number
    from starts
),

sessions as (
    select
        visitor_hash,
        min(visitor_id) as visitor_id,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as event_count,
        sum(event_checksum) as event_checksum,
        max(login_id) as login_id,
        nullif(min(login_id), max(login_id)) as other_login_id,
        min(occurred_at) filter (where login_id is not null) as login_at,
        bool_or(is_start and coalesce(next_at = occurred_at, false)) as has_shared_start,
        count(*) filter (where event_name = 'Page Viewed') as page_view_count,
        count(*) filter (where event_name = 'Product Viewed') as product_view_count,
        {{ smallest_values('occurred_at', 3, "event_name = 'Product Viewed'") }} as first_product_views_at,
        max(occurred_at) filter (where event_name = 'Product Viewed') as last_product_view_at,
        min(occurred_at) filter (where event_name = 'Product Added to Wishlist') as first_wishlist_at,
        min(occurred_at) filter (where event_name in {{ cart_events }}) as first_cart_at,
        max(occurred_at) filter (where event_name in {{ cart_events }}) as last_cart_at,
        min(occurred_at) filter (where event_name = 'Checkout Started') as first_checkout_at,
        count(*) filter (where event_name = 'Order Completed') as order_completed_count
    from numbered
    group by visitor_hash, session_number
),

shared_starts as (
    select
        events_there.visitor_id,
        events_there.occurred_at,
        substr(min(case when events_there.page_url is null then '1' else '0' end || events_there.event_id), 2) as event_id
    from {{ events_table }} as events_there
    inner join sessions
        on events_there.visitor_id = sessions.visitor_id and events_there.occurred_at = sessions.started_at
    where sessions.has_shared_start
    group by events_there.visitor_id, events_there.occurred_at
)

select
    md5(concat_ws('|', sessions.visitor_id, sessions.started_at)) as session_id,
    sessions.visitor_id,
    case when sessions.visitor_id not like 'login %' then sessions.visitor_id end as device_id,
    sessions.login_id,
    sessions.other_login_id,
    sessions.login_at,
    sessions.started_at,
    sessions.ended_at,
    sessions.event_count,
    sessions.event_checksum,
    sessions.page_view_count,
    sessions.product_view_count,
    {{ array_item('sessions.first_product_views_at', 1) }} as product_view_1_at,
    {{ array_item('sessions.first_product_views_at', 2) }} as product_view_2_at,
    {{ array_item('sessions.first_product_views_at', 3) }} as product_view_3_at,
    sessions.last_product_view_at,
    sessions.first_wishlist_at,
    sessions.first_cart_at,
    sessions.last_cart_at,
    sessions.first_checkout_at,
    sessions.order_completed_count,
    landing.page_url as landing_page_url,
    landing.referrer,
    lower(landing.utm_source) as utm_source,
    lower(landing.utm_medium) as utm_medium,
    landing.utm_campaign,
    {{ host_of('landing.referrer') }} as referrer_host,
    {{ host_of('landing.page_url') }} as landing_host,
    landing.user_agent,
    landing.device_type,
    landing.touchpoint,
    landing.load_ms,
    landing.country_code,
    landing.city,
    landing.ip
from sessions
inner join {{ events_table }} as landing
    on sessions.visitor_id = landing.visitor_id and sessions.started_at = landing.occurred_at
left join shared_starts
    on sessions.visitor_id = shared_starts.visitor_id and sessions.started_at = shared_starts.occurred_at
where not sessions.has_shared_start or landing.event_id = shared_starts.event_id
