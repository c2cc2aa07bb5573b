with latest as (
    {{ latest_versions(
        source('raw_klaviyo', 'flows'), ['flow_id'], updated_at='updated_at'
    ) | indent(4) }}
)

select
    flow_id,
    name as flow_name,
    lower(status) as status,
    trigger_type,
    created_at,
    updated_at
from latest
