{#-
    Klaviyo tells what happened to a profile, not to a message. Events carry the campaign or flow message
    (`$message`); one flow message can reach a profile many times, so its n-th sending and what follows
    until the next one are one message, unless the event names the message itself.
-#}
{{ config(materialized='view') }}

{%- set paths = [
    '$.message_id', '$."$message"', '$.message_kind', '$.campaign_id', '$.variant', '$.machine_open',
    '$."Bounce Type"', '$."Campaign Name"', '$.Subject', '$."Bot Click"', '$."$flow"',
    '$."Failure Type"', '$."Message Name"', '$.Title',
] %}
{#- What Klaviyo calls each step, before and since SMS became Text Message; a wish to be left alone it calls by
    several names. ingestion/sources/klaviyo.py says where the names are from. -#}
{%- set metrics = {
    'Received Email': 'received', 'Opened Email': 'opened', 'Clicked Email': 'clicked', 'Bounced Email': 'bounced',
    'Dropped Email': 'dropped', 'Marked Email as Spam': 'complained',
    'Received SMS': 'received', 'Received Automated Response SMS': 'received', 'Clicked SMS': 'clicked',
    'Failed to Deliver SMS': 'failed', 'Failed to Deliver Automated Response SMS': 'failed',
    'Received Text Message': 'received', 'Opened Text': 'opened', 'Clicked Text Message': 'clicked',
    'Failed to Deliver Text Message': 'failed',
    'Received Push': 'received', 'Opened Push': 'opened', 'Bounced Push': 'failed',
} %}

with events as (
    select
        event_id,
        klaviyo_profile_id,
        email,
        phone,
        occurred_at,
        case
            {%- for metric, step in metrics.items() %}
            when lower(metric_name) = '{{ metric | lower }}' then '{{ step }}'
            {%- endfor %}
            when
                lower(metric_name) = 'unsubscribed'
                or {{ text_matches('lower(metric_name)', "'^unsubscribed from .*(email|sms|text|push)'") }}
                then 'unsubscribed'
        end as event_name,
        case
            when {{ text_matches('lower(metric_name)', "'sms|text messag|opened text'") }} then 'sms'
            when {{ text_matches('lower(metric_name)', "'push'") }} then 'push'
            else 'email'
        end as channel,
        {{ json_texts('event_properties', paths) }} as fields
    from {{ ref('stg_klaviyo__events') }}
),

named as (
    select
        event_id,
        klaviyo_profile_id,
        -- Of mail alone: what a person does with a text or a push says nothing about a mailbox
        case when channel = 'email' then email end as email,
        case when channel = 'sms' then phone end as phone,
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
        channel = 'email' and coalesce(lower({{ array_item('fields', 7) }}), 'hard') = 'hard' as is_hard_bounce,
        channel = 'sms' and {{ text_matches(
            "coalesce(lower(" ~ array_item('fields', 12) ~ "), '')", "'disconnected|incapable|invalid|landline'"
        ) }} as is_lost_number,
        coalesce({{ array_item('fields', 8) }}, {{ array_item('fields', 13) }}) as campaign_name,
        coalesce({{ array_item('fields', 9) }}, {{ array_item('fields', 14) }}) as subject,
        {{ array_item('fields', 11) }} as flow_id
    from events
    where event_name is not null
),

numbered as (
    select
        *,
        -- A text that failed was never received, so it is a sending of its own
        sum(case when event_name in ('received', 'failed') then 1 else 0 end) over (
            partition by klaviyo_profile_id, channel, sending_id
            order by occurred_at, case when event_name in ('received', 'failed') then 0 else 1 end, event_id
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
