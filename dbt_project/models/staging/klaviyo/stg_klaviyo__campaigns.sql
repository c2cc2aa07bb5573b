with latest as (
    {{ latest_versions(source('raw_klaviyo', 'campaigns'), ['campaign_id']) | indent(4) }}
)

select
    campaign_id,
    name as campaign_name,
    lower(status) as status,
    send_time as sent_at,
    lower(channel) as channel,
    {{ json_text('payload', '$.attributes.message_kind') }} as message_kind
from latest
