with latest as (
    {{ latest_versions(
        source('raw_email', 'events'),
        ['coalesce(sg_event_id, _row_id)'],
        where='occurred_at <= ' ~ as_of()
    ) | indent(4) }}
)

select
    coalesce(sg_event_id, _row_id) as email_event_id,
    coalesce(sg_message_id, sg_event_id, _row_id) as sg_message_id,
    nullif(trim(email), '') as email,
    lower(event) as event_name,
    occurred_at,
    url,
    useragent as user_agent,
    lower(type) as bounce_type,
    bounce_classification,
    asm_group_id,
    coalesce(sg_machine_open, false) as is_machine_open,
    coalesce(campaign_id, marketing_campaign_id) as campaign_id,
    nullif(trim(flow_id), '') as flow_id,
    lower(nullif(trim(sending_domain), '')) as sending_domain,
    lower(message_kind) as message_kind,
    variant,
    category
from latest
