with latest as (
    {{ latest_versions(
        source('raw_klaviyo', 'lists'), ['list_id'], updated_at='updated_at'
    ) | indent(4) }}
)

select
    list_id,
    name as list_name,
    created_at,
    updated_at
from latest
