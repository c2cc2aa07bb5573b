with latest as (
    {{ latest_versions(
        source('raw_messages', 'messages'),
        [
            'message_id', 'channel', 'identifier_type', 'identifier_value', 'event', 'occurred_at',
            "coalesce(url, '')",
        ],
        where='occurred_at <= ' ~ as_of()
    ) | indent(4) }}
)

select
    _row_id as message_event_key,
    message_id,
    lower(trim(channel)) as channel,
    lower(trim(identifier_type)) as identifier_type,
    nullif(trim(identifier_value), '') as identifier_value,
    lower(trim(event)) as event,
    occurred_at,
    nullif(trim(campaign_id), '') as campaign_id,
    nullif(trim(flow_id), '') as flow_id,
    lower(nullif(trim(message_kind), '')) as message_kind,
    nullif(trim(segment), '') as segment,
    nullif(trim(variant), '') as variant,
    nullif(trim(url), '') as url,
    nullif(trim(reason), '') as reason,
    coalesce(is_opt_out_reply, false) as is_opt_out_reply
from latest
