{#-
    Who is on which list of the mail system, since when, and until when. Klaviyo's list says who joined; who left is
    an event, which names the list by its id or its name.
-#}
{%- set paths = ['$.list_id', '$.List', '$.list'] %}

with members as (
    select *
    from {{ ref('stg_klaviyo__list_members') }}
),

lists as (
    select *
    from {{ ref('stg_klaviyo__lists') }}
),

events as (
    select
        klaviyo_profile_id,
        occurred_at,
        {{ json_texts('event_properties', paths) }} as fields
    from {{ ref('stg_klaviyo__events') }}
    where lower(metric_name) in ('unsubscribed from list', 'removed from list')
),

leavings as (
    select
        events.klaviyo_profile_id,
        lists.list_id,
        max(events.occurred_at) as left_at
    from events
    inner join lists
        on
            lists.list_id in ({{ array_item('events.fields', 1) }}, {{ array_item('events.fields', 2) }})
            or lower(lists.list_name)
            = lower(coalesce({{ array_item('events.fields', 2) }}, {{ array_item('events.fields', 3) }}))
    group by events.klaviyo_profile_id, lists.list_id
),

owners as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
    where identifier_type = 'klaviyo_profile_id' and customer_id is not null
)

select
    {{ hash_key(["'klaviyo'", 'members.list_id', 'members.klaviyo_profile_id']) }} as list_membership_id,
    owners.customer_id,
    'klaviyo' as list_source,
    members.list_id,
    lists.list_name,
    members.joined_at,
    -- Who joined again after they had left is on it
    case when leavings.left_at > members.joined_at or members.joined_at is null then leavings.left_at end as left_at
from members
left join lists on members.list_id = lists.list_id
left join leavings
    on members.list_id = leavings.list_id and members.klaviyo_profile_id = leavings.klaviyo_profile_id
left join owners on members.klaviyo_profile_id = owners.raw_value
