{#-
    Opens and clicks that a machine made though the sender does not say so: by a script's or mail scanner's
    own name, too soon after the message arrived for anybody to read it, or several links of one message at
    once. Whatever a person does before or after stands beside them.
-#}
{%- set seconds = var('machine_reaction_seconds') %}

with reactions as (
    select
        'email' as message_source,
        email_event_id as event_id,
        sg_message_id as source_message_id,
        email as recipient,
        event_name = 'click' as is_click,
        occurred_at,
        url,
        user_agent
    from {{ ref('stg_email__events') }}
    where event_name in ('open', 'click') and not is_machine_open
    union all
    select
        'klaviyo' as message_source,
        event_id,
        source_message_id,
        klaviyo_profile_id as recipient,
        event_name = 'clicked' as is_click,
        occurred_at,
        cast(null as {{ dbt.type_string() }}) as url,
        cast(null as {{ dbt.type_string() }}) as user_agent
    from {{ ref('int_klaviyo_message_events') }}
    -- Only mail has systems that open and click before a person can
    where channel = 'email' and event_name in ('opened', 'clicked') and not is_declared_machine
    union all
    select
        'messages' as message_source,
        message_event_key as event_id,
        message_id as source_message_id,
        identifier_value as recipient,
        event = 'clicked' as is_click,
        occurred_at,
        url,
        null as user_agent
    from {{ ref('stg_messages__messages') }}
    where channel = 'email' and event in ('opened', 'clicked')
),

arrivals as (
    select
        'email' as message_source,
        sg_message_id as source_message_id,
        email as recipient,
        coalesce(
            min(occurred_at) filter (where event_name = 'delivered'),
            min(occurred_at)
        ) as arrived_at
    from {{ ref('stg_email__events') }}
    where event_name in ('delivered', 'processed')
    group by sg_message_id, email
    union all
    select
        'klaviyo' as message_source,
        source_message_id,
        klaviyo_profile_id as recipient,
        min(occurred_at) as arrived_at
    from {{ ref('int_klaviyo_message_events') }}
    where event_name = 'received'
    group by source_message_id, klaviyo_profile_id
    union all
    select
        'messages' as message_source,
        message_id as source_message_id,
        identifier_value as recipient,
        coalesce(
            min(occurred_at) filter (where event = 'delivered'),
            min(occurred_at)
        ) as arrived_at
    from {{ ref('stg_messages__messages') }}
    where channel = 'email' and event in ('delivered', 'sent')
    group by message_id, identifier_value
),

patterns as (
    select {{ text_list('pattern', '|') }} as pattern
    from {{ ref('bot_patterns') }}
),

scanners as (
    select named.user_agent
    from (
        select distinct user_agent
        from reactions
        where user_agent is not null
    ) as named
    cross join patterns
    where {{ text_matches('lower(named.user_agent)', 'patterns.pattern') }}
),

-- Each link of a message by its first click: three at once are no reader
first_clicks as (
    select
        message_source,
        source_message_id,
        recipient,
        url,
        min(occurred_at) as clicked_at
    from reactions
    where is_click and url is not null
    group by message_source, source_message_id, recipient, url
),

neighbours as (
    select
        *,
        lag(clicked_at) over in_order as one_before,
        lag(clicked_at, 2) over in_order as two_before,
        lead(clicked_at) over in_order as one_after,
        lead(clicked_at, 2) over in_order as two_after
    from first_clicks
    window in_order as (partition by message_source, source_message_id, recipient order by clicked_at, url)
),

clicked_at_once as (
    select
        message_source,
        source_message_id,
        recipient,
        url,
        clicked_at
    from neighbours
    where
        clicked_at <= two_before + interval '{{ seconds }}' second
        or one_after <= one_before + interval '{{ seconds }}' second
        or two_after <= clicked_at + interval '{{ seconds }}' second
),

judged as (
    select
        reactions.message_source,
        reactions.event_id,
        case
            when scanners.user_agent is not null then 'scanner'
            when reactions.occurred_at <= arrivals.arrived_at + interval '{{ seconds }}' second then 'too_soon'
            when clicked_at_once.url is not null then 'links_at_once'
        end as reason
    from reactions
    left join arrivals
        on
            reactions.message_source = arrivals.message_source
            and reactions.source_message_id = arrivals.source_message_id
            and reactions.recipient = arrivals.recipient
    left join scanners on reactions.user_agent = scanners.user_agent
    left join clicked_at_once
        on
            reactions.message_source = clicked_at_once.message_source
            and reactions.source_message_id = clicked_at_once.source_message_id
            and reactions.recipient = clicked_at_once.recipient
            and reactions.url = clicked_at_once.url
            and reactions.occurred_at = clicked_at_once.clicked_at
)

select distinct
    message_source,
    event_id,
    reason
from judged
where reason is not null
