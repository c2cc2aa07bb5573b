{#-
    Every web event once, read from JSON once. Independent of `as_of`: what is visible is decided by
    whoever reads this, so moving `as_of` either way needs no rebuild.

    A run takes loads that it has not seen, and from older loads whatever shares a message id with
    them, so that the choice among deliveries of one event is made again from all of them. Which loads
    hold such rows is asked first: the engine then skips the others, and their JSON is not read again.
-#}
{{ config(
    materialized='incremental',
    unique_key=['event_id', 'visitor_id'],
    incremental_strategy='delete+insert',
) }}

{%- set raw_events = source('raw_web', 'events') %}
{%- set message_hash = hash_number('message_id') %}
{%- set visitor = "coalesce(nullif(trim(anonymous_id), ''), concat_ws('', 'login ', trim(user_id)))" %}

with touched as (
    {%- if is_incremental() %}
    select message_id
    from {{ raw_events }}
    where {{ new_loads() }}
    {%- else %}
    -- Hashes find the few messages that came twice for a tenth of what sorting all would cost
    select message_id
    from {{ raw_events }}
    where {{ message_hash }} in (
        select {{ message_hash }}
        from {{ raw_events }}
        group by 1
        having count(*) > 1
    )
    {%- endif %}
),

{% if is_incremental() -%}
touched_loads as (
    select distinct _dlt_load_id
    from {{ raw_events }}
    where message_id in (select message_id from touched)
),

{% endif -%}
later_deliveries as (
    select _row_id
    from {{ raw_events }}
    where message_id in (select message_id from touched)
    qualify row_number() over (
        partition by message_id, {{ visitor }}
        order by received_at nulls last, occurred_at, _row_id
    ) > 1
)

select
    event_id,
    coalesce(device_id, concat_ws('', 'login ', login_id)) as visitor_id,
    login_id,
    previous_id,
    event_type,
    event_name,
    occurred_at,
    is_clock_skewed,
    page_url,
    referrer,
    utm_source,
    utm_medium,
    utm_campaign,
    user_agent,
    device_type,
    ip,
    product_id,
    sku,
    product_name,
    category,
    brand,
    price,
    quantity,
    order_id,
    cart_id,
    checkout_id,
    search_query,
    results,
    variant,
    endpoint,
    p256dh,
    auth,
    quiz_id,
    answers,
    content_id,
    title,
    topic,
    promotion_id,
    load_ms,
    country_code,
    city,
    touchpoint,
    gpc,
    publisher_login,
    email,
    phone,
    traits,
    _dlt_load_id
from {{ ref('stg_web__events') }}
where
    (device_id is not null or login_id is not null)
    and _row_id not in (select _row_id from later_deliveries)
    {%- if is_incremental() %}
    and _dlt_load_id in (select _dlt_load_id from touched_loads)
    and event_id in (select message_id from touched)
    {%- endif %}
