{#- Messages from their events: what happened to each, what machines opened and clicked apart from people's. -#}
with machine_reactions as (
    select *
    from {{ ref('int_machine_reactions') }}
),

sendgrid as (
    select
        events.*,
        events.is_machine_open or machines.event_id is not null as is_machine
    from {{ ref('stg_email__events') }} as events
    left join machine_reactions as machines
        on events.email_event_id = machines.event_id and machines.message_source = 'email'
),

other_senders as (
    select
        events.*,
        machines.event_id is not null as is_machine
    from {{ ref('stg_messages__messages') }} as events
    left join machine_reactions as machines
        on events.message_event_key = machines.event_id and machines.message_source = 'messages'
),

klaviyo as (
    select
        events.*,
        events.is_declared_machine or machines.event_id is not null as is_machine
    from {{ ref('int_klaviyo_message_events') }} as events
    left join machine_reactions as machines
        on events.event_id = machines.event_id and machines.message_source = 'klaviyo'
)

select
    'email' as message_source,
    sg_message_id as source_message_id,
    email,
    cast(null as {{ dbt.type_string() }}) as klaviyo_profile_id,
    cast(null as {{ dbt.type_string() }}) as identifier_type,
    cast(null as {{ dbt.type_string() }}) as identifier_value,
    'email' as channel,
    max(message_kind) as message_kind,
    max(campaign_id) as campaign_id,
    max(flow_id) as flow_id,
    max(variant) as variant,
    coalesce(
        min(occurred_at) filter (where event_name = 'processed'),
        min(occurred_at) filter (where event_name = 'delivered'),
        min(occurred_at)
    ) as sent_at,
    min(occurred_at) filter (where event_name = 'delivered') as delivered_at,
    min(occurred_at) filter (where event_name = 'open' and not is_machine) as opened_at,
    min(occurred_at) filter (where event_name = 'open' and is_machine) as machine_opened_at,
    min(occurred_at) filter (where event_name = 'click' and not is_machine) as clicked_at,
    min(occurred_at) filter (where event_name = 'click' and is_machine) as machine_clicked_at,
    min(occurred_at) filter (where event_name in ('unsubscribe', 'group_unsubscribe')) as unsubscribed_at,
    min(occurred_at) filter (where event_name in ('bounce', 'dropped')) as bounced_at,
    coalesce(bool_or(event_name = 'bounce' and coalesce(bounce_type, 'bounce') <> 'blocked'), false) as is_hard_bounce,
    min(occurred_at) filter (where event_name = 'spamreport') as complained_at,
    cast(null as timestamp) as failed_at,
    cast(null as timestamp) as replied_at,
    false as is_opt_out_reply,
    cast(null as {{ dbt.type_string() }}) as subject,
    cast(null as {{ dbt.type_string() }}) as campaign_name
from sendgrid
group by sg_message_id, email
union all
select
    'klaviyo' as message_source,
    source_message_id,
    max(email) as email,
    klaviyo_profile_id,
    case when max(phone) is not null then 'phone' end as identifier_type,
    max(phone) as identifier_value,
    max(channel) as channel,
    max(message_kind) as message_kind,
    max(campaign_id) as campaign_id,
    max(flow_id) as flow_id,
    max(variant) as variant,
    coalesce(min(occurred_at) filter (where event_name = 'received'), min(occurred_at)) as sent_at,
    min(occurred_at) filter (where event_name = 'received') as delivered_at,
    min(occurred_at) filter (where event_name = 'opened' and not is_machine) as opened_at,
    min(occurred_at) filter (where event_name = 'opened' and is_machine) as machine_opened_at,
    min(occurred_at) filter (where event_name = 'clicked' and not is_machine) as clicked_at,
    min(occurred_at) filter (where event_name = 'clicked' and is_machine) as machine_clicked_at,
    min(occurred_at) filter (where event_name = 'unsubscribed') as unsubscribed_at,
    min(occurred_at) filter (where event_name in ('bounced', 'dropped') or (event_name = 'failed' and is_lost_number))
        as bounced_at,
    coalesce(bool_or((event_name = 'bounced' and is_hard_bounce) or (event_name = 'failed' and is_lost_number)), false)
        as is_hard_bounce,
    min(occurred_at) filter (where event_name = 'complained') as complained_at,
    min(occurred_at) filter (where event_name = 'failed') as failed_at,
    null as replied_at,
    false as is_opt_out_reply,
    max(subject) as subject,
    max(campaign_name) as campaign_name
from klaviyo
group by source_message_id, klaviyo_profile_id
union all
-- A sender's message id may be one for all whom it went to, on every channel
select
    'messages' as message_source,
    concat_ws('|', message_id, channel, identifier_type, identifier_value) as source_message_id,
    null as email,
    null as klaviyo_profile_id,
    identifier_type,
    identifier_value,
    channel,
    max(message_kind) as message_kind,
    max(campaign_id) as campaign_id,
    max(flow_id) as flow_id,
    max(variant) as variant,
    coalesce(
        min(occurred_at) filter (where event = 'sent'),
        min(occurred_at) filter (where event = 'delivered'),
        min(occurred_at)
    ) as sent_at,
    min(occurred_at) filter (where event = 'delivered') as delivered_at,
    min(occurred_at) filter (where event = 'opened' and not is_machine) as opened_at,
    min(occurred_at) filter (where event = 'opened' and is_machine) as machine_opened_at,
    min(occurred_at) filter (where event = 'clicked' and not is_machine) as clicked_at,
    min(occurred_at) filter (where event = 'clicked' and is_machine) as machine_clicked_at,
    min(occurred_at) filter (where event = 'unsubscribed' or (event = 'replied' and is_opt_out_reply))
        as unsubscribed_at,
    min(occurred_at) filter (where event = 'bounced') as bounced_at,
    bool_or(event = 'bounced') as is_hard_bounce,
    cast(null as timestamp) as complained_at,
    min(occurred_at) filter (where event = 'failed') as failed_at,
    min(occurred_at) filter (where event = 'replied') as replied_at,
    bool_or(event = 'replied' and is_opt_out_reply) as is_opt_out_reply,
    null as subject,
    null as campaign_name
from other_senders
group by message_id, channel, identifier_type, identifier_value
