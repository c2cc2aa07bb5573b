{#-
    Klaviyo tells what happened to a profile, not to a message. Events carry the campaign or flow message
    (`$message`); one flow message can reach a profile many times, so its n-th sending and what follows
    until the next one are one message, unless the event names the message itself.
-#}
{{ config(materialized='view') }}

{%- set paths = [
    '$.message_id', '$."$message"', '$.message_kind', '$.campaign_id', '$.variant', '$.machine_open',
    '$."Bounce Type"', '$."Campaign Name"', '$.Subject', '$."Bot Click"', '$."$flow"',
] %}

with events as (
    select
        event_id,
        klaviyo_profile_id,
        email,
        occurred_at,
        case metric_name
            when 'Received Email' then 'received'
            when 'Opened Email' then 'opened'
            when 'Clicked Email' then 'clicked'
            when 'Bounced Email' then 'bounced'
            when 'Dropped Email' then 'dropped'
            when 'Marked Email as Spam' then 'complained'
            when 'Unsubscribed' then 'unsubscribed'
            when 'Unsubscribed from Email Marketing' then 'unsubscribed'
            when 'Received SMS' then 'received'
            when 'Clicked SMS' then 'clicked'
        end as event_name,
        case when metric_name like '%SMS' then 'sms' else 'email' end as channel,
        {{ json_texts('event_properties', paths) }} as fields
    from {{ ref('stg_klaviyo__events') }}
),

named as (
    select
        event_id,
        klaviyo_profile_id,
        email,
        occurred_at,
        event_name,
        channel,
        {{ array_item('fields', 1) }} as own_message_id,
        coalesce({{ array_item('fields', 2) }}, {{ array_item('fields', 4) }}) as sending_id,
        lower({{ array_item('fields', 3) }}) as message_kind,
        coalesce({{ array_item('fields', 4) }}, {{ array_item('fields', 2) }}) as campaign_id,
        {{ array_item('fields', 5) }} as variant,
        coalesce(try_cast({{ array_item('fields', 6) }} as boolean), false)
        or coalesce(try_cast({{ array_item('fields', 10) }} as boolean), false) as is_declared_machine,
        coalesce(lower({{ array_item('fields', 7) }}), 'hard') = 'hard' as is_hard_bounce,
        {{ array_item('fields', 8) }} as campaign_name,
        {{ array_item('fields', 9) }} as subject,
        {{ array_item('fields', 11) }} as flow_id
    from events
    where event_name is not null
),

numbered as (
    select
        *,
        sum(case when event_name = 'received' then 1 else 0 end) over (
            partition by klaviyo_profile_id, channel, sending_id
            order by occurred_at, case event_name when 'received' then 0 else 1 end, event_id
            rows unbounded preceding
        ) as sending_number
    from named
)

select
    *,
    coalesce(
        own_message_id,
        {{ hash_key(['klaviyo_profile_id', 'channel', 'sending_id', 'sending_number']) }}
    ) as source_message_id
from numbered
-- An unsubscription outside any message is a consent event, not a message
where own_message_id is not null or sending_id is not null
