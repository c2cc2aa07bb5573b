{#- What visitors typed about themselves: the latest per visitor and address. -#}
with events as (
    select
        event_id,
        case when visitor_id not like 'login %' then visitor_id end as device_id,
        login_id,
        trim(email) as email,
        trim(phone) as phone,
        occurred_at,
        {{ json_texts('traits', ['$.firstName', '$.first_name', '$.lastName', '$.last_name']) }} as names
    from {{ ref('int_web_events') }}
    where
        event_type = 'identify'
        and (email is not null or phone is not null)
        and occurred_at <= {{ as_of() }}
),

latest as (
    select *
    from events
    qualify row_number() over (
        partition by device_id, login_id, email, phone order by occurred_at desc, event_id
    ) = 1
)

select
    {{ hash_key(['event_id', 'device_id', 'login_id']) }} as contact_key,
    device_id,
    login_id,
    email,
    phone,
    coalesce({{ array_item('names', 1) }}, {{ array_item('names', 2) }}) as first_name,
    coalesce({{ array_item('names', 3) }}, {{ array_item('names', 4) }}) as last_name,
    case when login_id is not null then 'account' else 'newsletter' end as source,
    case when login_id is not null then 'verified_login' else 'newsletter' end as evidence_grade,
    occurred_at as created_at
from latest
