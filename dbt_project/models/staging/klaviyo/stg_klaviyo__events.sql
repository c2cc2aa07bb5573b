{%- set paths = [
    '$.attributes.event_properties', '$.event_properties', '$.attributes.properties',
] %}

with latest as (
    {{ latest_versions(
        source('raw_klaviyo', 'events'), ['event_id'], where='occurred_at <= ' ~ as_of()
    ) | indent(4) }}
),

read_once as (
    select
        *,
        {{ json_texts('payload', paths) }} as fields
    from latest
)

select
    event_id,
    metric_name,
    profile_id as klaviyo_profile_id,
    nullif(trim(email), '') as email,
    nullif(trim(phone_number), '') as phone,
    occurred_at,
    coalesce(
        {{ array_item('fields', 1) }}, {{ array_item('fields', 2) }}, {{ array_item('fields', 3) }}, payload
    ) as event_properties
from read_once
