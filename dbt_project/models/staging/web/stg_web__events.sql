{#-
    A view that reads raw JSON: only int_web_events selects from it, once per new row.
    One message from one device is one event. Delivered twice with different content, the first
    delivery counts, whatever order the files came in.
-#}
{%- set property_paths = [
    '$.product_id', '$.sku', '$.name', '$.category', '$.brand', '$.price', '$.quantity',
    '$.order_id', '$.cart_id', '$.query', '$.email',
] %}
{%- set context_paths = [
    '$.page.url', '$.page.referrer', '$.campaign.source', '$.campaign.medium', '$.campaign.name',
    '$.userAgent', '$.device.type', '$.ip', '$.traits.email',
] %}

with events as (
    select
        message_id,
        anonymous_id,
        user_id,
        type,
        event,
        occurred_at,
        received_at,
        {{ json_texts('properties', property_paths) }} as properties,
        {{ json_texts('context', context_paths) }} as context,
        case when traits is not null then {{ json_text('traits', '$.email') }} end as traits_email,
        case when traits is not null then {{ json_text('traits', '$.phone') }} end as traits_phone,
        case when type = 'identify' then traits end as traits,
        _row_id,
        _file,
        _line,
        _dlt_load_id
    from {{ source('raw_web', 'events') }}
)

select
    message_id as event_id,
    nullif(trim(anonymous_id), '') as device_id,
    nullif(trim(user_id), '') as login_id,
    type as event_type,
    case when type in ('page', 'screen') then 'Page Viewed' else event end as event_name,
    -- A clock that runs ahead must not move a visit into the future
    case
        when occurred_at > received_at + interval 5 minute then received_at else occurred_at
    end as occurred_at,
    coalesce(occurred_at > received_at + interval 5 minute, false) as is_clock_skewed,
    {{ array_item('context', 1) }} as page_url,
    nullif({{ array_item('context', 2) }}, '') as referrer,
    {{ array_item('context', 3) }} as utm_source,
    {{ array_item('context', 4) }} as utm_medium,
    {{ array_item('context', 5) }} as utm_campaign,
    {{ array_item('context', 6) }} as user_agent,
    lower({{ array_item('context', 7) }}) as device_type,
    {{ array_item('context', 8) }} as ip,
    {{ array_item('properties', 1) }} as product_id,
    {{ array_item('properties', 2) }} as sku,
    {{ array_item('properties', 3) }} as product_name,
    {{ array_item('properties', 4) }} as category,
    {{ array_item('properties', 5) }} as brand,
    {{ money_from_text(array_item('properties', 6)) }} as price,
    {{ money_from_text(array_item('properties', 7)) }} as quantity,
    {{ array_item('properties', 8) }} as order_id,
    {{ array_item('properties', 9) }} as cart_id,
    {{ array_item('properties', 10) }} as search_query,
    coalesce(traits_email, {{ array_item('properties', 11) }}, {{ array_item('context', 9) }}) as email,
    traits_phone as phone,
    traits,
    received_at,
    _row_id,
    _dlt_load_id
from events
