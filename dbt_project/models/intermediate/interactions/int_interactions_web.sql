{#-
    What people did on the site, of all time. A visit has a version: a hash of its events and of whose it is. A run
    leaves out rows of versions that are gone and adds those of versions that are new, so whatever changed (a late
    event, a merge, a split, `as_of` moved either way, a run that stopped) the table holds what a full refresh
    would make. Messages and the rest are whole tables anyway and join the timeline in fct_interactions.
-#}
{{ config(materialized='incremental', incremental_strategy='replace_visits') }}

with {% if is_incremental() -%}
known_versions as (
    select distinct visit_version
    from {{ this }}
),

{% endif -%}
visits as (
    select *
    from {{ ref('int_interaction_visits') }}
    {%- if is_incremental() %}
    where visit_version not in (select visit_version from known_versions)
    {%- endif %}
),

login_owners as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
    where identifier_type = 'login' and customer_id is not null
),

events as (
    select
        {{ key_number(["'web'", 'events.event_id', 'events.visitor_id']) }} as interaction_id,
        case
            when events.login_id is not null then coalesce(login_owners.customer_id, visits.device_customer_id)
            when events.occurred_at >= visits.login_at then visits.customer_id
            else visits.device_customer_id
        end as customer_id,
        events.occurred_at,
        events.touchpoint,
        {{ event_kind('events.event_name') }} as kind,
        events.country_code as place,
        {{ plain_words('events.city') }} as city,
        {{ plain_code('events.product_id') }} as product_id,
        {{ plain_code('events.order_id') }} as order_id,
        cast(events.price * coalesce(events.quantity, 1) as decimal(18, 4)) as value,
        case
            when events.search_query is not null
                then {{ json_object_text({
                    'query': plain_words('events.search_query'), 'results': 'events.results',
                }) }}
            when coalesce(events.content_id, events.title, events.topic) is not null
                then {{ json_object_text({
                    'content': plain_code('events.content_id'), 'title': plain_words('events.title'),
                    'topic': plain_words('events.topic'),
                }) }}
            when events.quiz_id is not null then {{ json_object_text({'quiz': plain_code('events.quiz_id')}) }}
            when events.promotion_id is not null
                then {{ json_object_text({'promotion': plain_code('events.promotion_id')}) }}
            when events.product_id is null and coalesce(events.sku, events.product_name) is not null
                then {{ json_object_text({
                    'sku': plain_code('events.sku'), 'name': plain_words('events.product_name'),
                }) }}
            when events.load_ms is not null then {{ json_object_text({'load_ms': 'events.load_ms'}) }}
        end as detail,
        visits.visit_version
    from {{ ref('int_web_events') }} as events
    -- Visits of one visitor never overlap, so each event is in exactly one
    inner join visits
        on
            events.visitor_id = visits.visitor_id
            and events.occurred_at >= visits.started_at
            and events.occurred_at <= visits.ended_at
    left join login_owners on events.login_id = login_owners.raw_value
    where events.occurred_at <= {{ as_of() }} and events.event_name <> 'Page Viewed'
)

select *
from events
where customer_id is not null
union all
-- Pages are told by the visit: how many, and where it came from
select
    {{ key_number(["'visit'", 'session_id']) }} as interaction_id,
    customer_id,
    started_at as occurred_at,
    touchpoint,
    'visit' as kind,
    country_code as place,
    {{ plain_words('city') }} as city,
    null as product_id,
    null as order_id,
    null as value,
    {{ json_object_text({
        'source': 'marketing_channel', 'campaign': plain_words('utm_campaign'), 'pages': 'page_view_count',
        'device': 'device_type', 'load_ms': 'load_ms',
    }) }} as detail,
    visit_version
from visits
where customer_id is not null
