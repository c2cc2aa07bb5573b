{#- What a profile says of a person in the shop's own properties, as it says now: Klaviyo tells no time of them. -#}
with latest as (
    {{ latest_versions(
        source('raw_klaviyo', 'profiles'),
        ['profile_id'],
        updated_at='updated_at',
        where='coalesce(updated_at, created_at) <= ' ~ as_of()
    ) | indent(4) }}
),

held as (
    select
        _row_id,
        profile_id,
        {{ json_text('payload', '$.attributes.properties') }} as properties,
        _dlt_load_id
    from latest
),

entries as (
    select
        _row_id,
        profile_id,
        _dlt_load_id,
        {{ json_entries('properties') }}
    from held
    where substr(properties, 1, 1) = '{'
)

select
    _row_id as contact_key,
    profile_id as klaviyo_profile_id,
    name,
    value,
    _dlt_load_id
from entries
-- Klaviyo's own begin with a dollar
where name not like '$%'
