{#-
    A view that reads raw JSON: only int_web_events selects from it, once per new row.
    One message from one device is one event. Delivered twice with different content, the first
    delivery counts, whatever order the files came in.
-#}
{%- set property_fields = {
    'product_id': 'varchar', 'sku': 'varchar', 'name': 'varchar', 'category': 'varchar',
    'brand': 'varchar', 'price': 'decimal(18,4)', 'quantity': 'decimal(18,4)',
    'order_id': 'varchar', 'cart_id': 'varchar', 'cartId': 'varchar', 'cart_token': 'varchar', 'cartToken': 'varchar',
    'checkout_id': 'varchar', 'checkoutId': 'varchar', 'checkout_token': 'varchar', 'checkoutToken': 'varchar',
    'query': 'varchar', 'email': 'varchar', 'results': 'bigint', 'variant': 'varchar',
    'endpoint': 'varchar', 'keys': {'p256dh': 'varchar', 'auth': 'varchar'},
    'quiz_id': 'varchar', 'answers': 'varchar',
    'content_id': 'varchar', 'title': 'varchar', 'topic': 'varchar', 'promotion_id': 'varchar',
} %}
{%- set context_fields = {
    'page': {'url': 'varchar', 'referrer': 'varchar', 'load_ms': 'decimal(18,4)'},
    'campaign': {'source': 'varchar', 'medium': 'varchar', 'name': 'varchar'},
    'userAgent': 'varchar', 'device': {'type': 'varchar'}, 'ip': 'varchar',
    'traits': {'email': 'varchar'}, 'location': {'country': 'varchar', 'city': 'varchar'},
    'gpc': 'varchar', 'touchpoint': 'varchar', 'externalIds': [{'id': 'varchar', 'type': 'varchar'}],
} %}
{%- set is_publisher = "lower(trim(item.type)) = 'publisher_login'" %}
{%- set publisher_id = 'case when ' ~ is_publisher ~ " then nullif(trim(item.id), '') end" %}

{%- set visitors_country = 'coalesce(traits_country, traits_address_country, context.location.country)' %}

with events as (
    select
        message_id,
        anonymous_id,
        user_id,
        previous_id,
        type,
        event,
        occurred_at,
        sent_at,
        received_at,
        {#- On one clock a thing happens before it is sent: later than that, the time was set right already -#}
        case
            when occurred_at > received_at + interval 5 minute then true
            when sent_at < received_at - interval 2 day and occurred_at <= sent_at then true
            else false
        end as is_clock_skewed,
        {{ json_record('properties', property_fields) }} as properties,
        {{ json_record('context', context_fields) }} as context,
        case when traits is not null then {{ json_text('traits', '$.email') }} end as traits_email,
        case when traits is not null then {{ json_text('traits', '$.phone') }} end as traits_phone,
        case when traits is not null then {{ json_text('traits', '$.country') }} end as traits_country,
        case when traits is not null then {{ json_text('traits', '$.address.country') }} end as traits_address_country,
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
    nullif(trim(previous_id), '') as previous_id,
    type as event_type,
    case when type in ('page', 'screen') then 'Page Viewed' else event end as event_name,
    -- A clock that is far off must not move a visit into the future, nor years back: what was sent when it was
    -- received shows how far it is off. Where that is not known, it happened when it was received
    case
        when is_clock_skewed and occurred_at <= sent_at then received_at - (sent_at - occurred_at)
        when is_clock_skewed then received_at
        else occurred_at
    end as occurred_at,
    is_clock_skewed,
    context.page.url as page_url,
    nullif(context.page.referrer, '') as referrer,
    context.campaign.source as utm_source,
    context.campaign.medium as utm_medium,
    context.campaign.name as utm_campaign,
    context.useragent as user_agent,
    lower(context.device.type) as device_type,
    context.ip,
    properties.product_id,
    properties.sku,
    properties.name as product_name,
    properties.category,
    properties.brand,
    properties.price,
    properties.quantity,
    properties.order_id,
    {{ first_text([
        'properties.cart_id', 'properties.cartid', 'properties.cart_token', 'properties.carttoken',
    ]) }} as cart_id,
    {{ first_text([
        'properties.checkout_id', 'properties.checkoutid', 'properties.checkout_token', 'properties.checkouttoken',
    ]) }} as checkout_id,
    properties.query as search_query,
    case when properties.results >= 0 then properties.results end as results,
    properties.variant,
    properties.endpoint,
    properties.keys.p256dh,
    properties.keys.auth,
    properties.quiz_id,
    properties.answers,
    properties.content_id,
    properties.title,
    properties.topic,
    properties.promotion_id,
    case when length(trim(context.location.country)) = 2 then upper(trim(context.location.country)) end as country_code,
    {{ first_text(['context.location.city']) }} as city,
    case when context.page.load_ms >= 0 then context.page.load_ms end as load_ms,
    case
        when coalesce(trim(context.touchpoint), '') = '' then 'web'
        when lower(trim(context.touchpoint)) in ({{ quoted(touchpoints()) }})
            then lower(trim(context.touchpoint))
        else 'other'
    end as touchpoint,
    coalesce(lower(trim(context.gpc)) in ('true', '1'), false) as gpc,
    -- Of several logins at publishers the first, as an event has one of everything else
    split_part({{ list_words('context.externalids', publisher_id) }}, ', ', 1) as publisher_login,
    coalesce(traits_email, properties.email, context.traits.email) as email,
    {{ phone_with_country('traits_phone', visitors_country) }} as phone,
    traits,
    received_at,
    _row_id,
    _dlt_load_id
from events
