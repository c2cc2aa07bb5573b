{%- set paths = [
    '$.attributes.location.country', '$.attributes.location.zip', '$.attributes.location.timezone',
    '$.attributes.subscriptions.email.marketing.consent', '$.location.country', '$.location.zip',
    '$.location.timezone', '$.subscriptions.email.marketing.consent',
    '$.attributes.subscriptions.sms.marketing.consent', '$.subscriptions.sms.marketing.consent',
    '$.attributes.subscriptions.mobile_push.marketing.consent', '$.subscriptions.mobile_push.marketing.consent',
] %}
{%- set country = 'coalesce(' ~ array_item('fields', 1) ~ ', ' ~ array_item('fields', 5) ~ ')' %}

with latest as (
    {{ latest_versions(
        source('raw_klaviyo', 'profiles'),
        ['profile_id'],
        updated_at='updated_at',
        where='coalesce(updated_at, created_at) <= ' ~ as_of()
    ) | indent(4) }}
),

read_once as (
    select
        *,
        {{ json_texts('payload', paths) }} as fields
    from latest
)

select
    _row_id as contact_key,
    profile_id as klaviyo_profile_id,
    nullif(trim(email), '') as email,
    {{ phone_with_country("nullif(trim(phone_number), '')", country) }} as phone,
    nullif(trim(external_id), '') as external_id,
    nullif(trim(anonymous_id), '') as device_id,
    nullif(trim(first_name), '') as first_name,
    nullif(trim(last_name), '') as last_name,
    {{ country }} as country,
    coalesce({{ array_item('fields', 2) }}, {{ array_item('fields', 6) }}) as postcode,
    coalesce({{ array_item('fields', 3) }}, {{ array_item('fields', 7) }}) as timezone,
    lower(coalesce({{ array_item('fields', 4) }}, {{ array_item('fields', 8) }})) as email_consent,
    lower(coalesce({{ array_item('fields', 9) }}, {{ array_item('fields', 10) }})) as sms_consent,
    lower(coalesce({{ array_item('fields', 11) }}, {{ array_item('fields', 12) }})) as push_consent,
    created_at,
    updated_at
from read_once
