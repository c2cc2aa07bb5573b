with messages as (
    select *
    from {{ ref('int_messages_unioned') }}
),

customers as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
),

campaigns as (
    select *
    from {{ ref('stg_klaviyo__campaigns') }}
),

-- The source is a column, not a condition on the message alone: only by equality is a join cheap
flows as (
    select
        flow_id,
        flow_name,
        'klaviyo' as message_source
    from {{ ref('stg_klaviyo__flows') }}
)

select
    {{ hash_key(['messages.message_source', 'messages.source_message_id', 'messages.email', 'messages.klaviyo_profile_id']) }}
        as message_id,
    coalesce(emails.customer_id, profiles.customer_id, named.customer_id) as customer_id,
    coalesce(
        emails.identifier_value,
        messages.email,
        case when messages.identifier_type = 'email' then coalesce(named.identifier_value, messages.identifier_value) end
    ) as email,
    messages.channel,
    coalesce(messages.message_kind, campaigns.message_kind, case when messages.campaign_id is not null then 'promo' end)
        as message_kind,
    messages.campaign_id,
    messages.flow_id,
    messages.variant,
    messages.sent_at,
    messages.delivered_at,
    messages.opened_at,
    messages.machine_opened_at,
    messages.clicked_at,
    messages.machine_clicked_at,
    messages.unsubscribed_at,
    messages.bounced_at,
    messages.is_hard_bounce,
    messages.complained_at,
    messages.failed_at,
    messages.replied_at,
    messages.is_opt_out_reply,
    messages.message_source,
    messages.subject,
    coalesce(messages.campaign_name, campaigns.campaign_name, flows.flow_name) as campaign_name
from messages
left join customers as emails on messages.email = emails.raw_value and emails.identifier_type = 'email'
left join customers as profiles
    on
        messages.klaviyo_profile_id = profiles.raw_value
        and profiles.identifier_type = 'klaviyo_profile_id'
left join customers as named
    on
        messages.identifier_value = named.raw_value
        and messages.identifier_type = named.identifier_type
left join campaigns on messages.campaign_id = campaigns.campaign_id
left join flows on messages.flow_id = flows.flow_id and messages.message_source = flows.message_source
