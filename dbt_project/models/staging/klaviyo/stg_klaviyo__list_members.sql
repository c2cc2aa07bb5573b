with latest as (
    {{ latest_versions(
        source('raw_klaviyo', 'list_members'),
        ['list_id', 'profile_id'],
        updated_at='joined_at',
        where='joined_at <= ' ~ as_of() ~ ' or joined_at is null'
    ) | indent(4) }}
)

select
    list_id,
    profile_id as klaviyo_profile_id,
    joined_at
from latest
