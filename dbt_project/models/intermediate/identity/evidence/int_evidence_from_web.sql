{{ config(materialized='view') }}

{#- A visit has one login, or within one instant two, which are then both seen on its device. -#}
with sessions as (
    select *
    from {{ ref('int_web_sessions') }}
    where started_at <= {{ as_of() }}
),

visits as (
    select
        device_id,
        login_id,
        coalesce(login_at, started_at) as observed_at,
        ended_at,
        event_count,
        session_id
    from sessions
    union all
    select
        device_id,
        other_login_id as login_id,
        login_at as observed_at,
        ended_at,
        0 as event_count,
        session_id
    from sessions
    where other_login_id is not null
    union all
    -- The device was there before its visitor signed in
    select
        device_id,
        null as login_id,
        started_at as observed_at,
        ended_at,
        0 as event_count,
        session_id
    from sessions
    where login_at > started_at
),

stated as (
    select
        case when visitor_id not like 'login %' then visitor_id end as device_id,
        login_id,
        email,
        phone,
        event_id,
        occurred_at,
        case
            when event_type = 'identify' and login_id is not null then 2
            when event_name in ('Checkout Started', 'Order Completed') then 3
            else 5
        end as evidence_rank
    from {{ ref('int_web_events') }}
    where (email is not null or phone is not null) and occurred_at <= {{ as_of() }}
),

-- What else a browser said of its visitor: an account at a publisher, where push messages reach it
held as (
    select
        visitor_id,
        login_id,
        'publisher' as rule,
        publisher_login,
        cast(null as {{ dbt.type_string() }}) as push_token,
        event_id,
        occurred_at
    from {{ ref('int_web_events') }}
    where publisher_login is not null and occurred_at <= {{ as_of() }}
    union all
    select
        visitor_id,
        login_id,
        'push' as rule,
        cast(null as {{ dbt.type_string() }}) as publisher_login,
        endpoint as push_token,
        event_id,
        occurred_at
    from {{ ref('int_web_events') }}
    where event_name = 'Push Subscribed' and endpoint is not null and occurred_at <= {{ as_of() }}
),

held_by_browser as (
    select
        case when visitor_id not like 'login %' then visitor_id end as device_id,
        login_id,
        rule,
        publisher_login,
        push_token,
        {{ first_value_by_time('event_id', 'occurred_at') }} as source_record_id,
        min(occurred_at) as observed_at,
        max(occurred_at) as last_seen_at,
        count(*) as observation_count
    from held
    group by visitor_id, login_id, rule, publisher_login, push_token
),

-- Whoever was seen on that browser was seen with them, so that two people there are two for them as well
seen_on_browser as (
    select distinct
        device_id,
        login_id,
        cast(null as {{ dbt.type_string() }}) as email,
        cast(null as {{ dbt.type_string() }}) as phone
    from visits
    where login_id is not null and device_id in (select held_by_browser.device_id from held_by_browser)
    union all
    select distinct
        device_id,
        cast(null as {{ dbt.type_string() }}) as login_id,
        email,
        cast(null as {{ dbt.type_string() }}) as phone
    from stated
    where email is not null and device_id in (select held_by_browser.device_id from held_by_browser)
    union all
    select distinct
        device_id,
        cast(null as {{ dbt.type_string() }}) as login_id,
        cast(null as {{ dbt.type_string() }}) as email,
        phone
    from stated
    where phone is not null and device_id in (select held_by_browser.device_id from held_by_browser)
),

held_by_visitors as (
    select
        rule,
        source_record_id,
        observed_at,
        last_seen_at,
        observation_count,
        login_id,
        cast(null as {{ dbt.type_string() }}) as email,
        cast(null as {{ dbt.type_string() }}) as phone,
        publisher_login,
        push_token,
        device_id
    from held_by_browser
    union all
    select
        held_by_browser.rule,
        held_by_browser.source_record_id,
        held_by_browser.observed_at,
        held_by_browser.last_seen_at,
        0 as observation_count,
        seen_on_browser.login_id,
        seen_on_browser.email,
        seen_on_browser.phone,
        held_by_browser.publisher_login,
        held_by_browser.push_token,
        cast(null as {{ dbt.type_string() }}) as device_id
    from held_by_browser
    inner join seen_on_browser on held_by_browser.device_id = seen_on_browser.device_id
),

-- The site says that an earlier id and this login are one person
aliases as (
    select *
    from {{ ref('int_web_events') }}
    where
        event_type = 'alias'
        and login_id is not null
        and previous_id <> login_id
        and occurred_at <= {{ as_of() }}
),

-- What the earlier id was: a device if it was seen as one, a login if it was seen as one
known_devices as (
    select distinct visitor_id as previous_id
    from {{ ref('int_web_events') }}
    where visitor_id in (select aliases.previous_id from aliases) and occurred_at <= {{ as_of() }}
),

known_logins as (
    select distinct login_id as previous_id
    from {{ ref('int_web_events') }}
    where login_id in (select aliases.previous_id from aliases) and occurred_at <= {{ as_of() }}
),

earlier_ids as (
    select
        aliases.event_id,
        aliases.occurred_at,
        aliases.login_id,
        known_devices.previous_id as device_id,
        known_logins.previous_id as previous_login_id
    from aliases
    left join known_devices on aliases.previous_id = known_devices.previous_id
    left join known_logins on aliases.previous_id = known_logins.previous_id
    where known_devices.previous_id is not null or known_logins.previous_id is not null
)

select
    'web' as source_system,
    case when login_id is null then 'visit' else 'login' end as rule,
    case when login_id is null then 6 else 2 end as evidence_rank,
    {{ first_value_by_time('session_id', 'observed_at') }} as source_record_id,
    min(observed_at) as observed_at,
    max(ended_at) as last_seen_at,
    sum(event_count) as observation_count,
    cast(null as {{ dbt.type_string() }}) as person_name,
    {{ identifier_columns({'login': 'login_id', 'device': 'device_id'}) }},
    cast(null as {{ dbt.type_string() }}) as previous_login
from visits
group by device_id, login_id
union all
select
    'web' as source_system,
    'stated' as rule,
    evidence_rank,
    {{ first_value_by_time('event_id', 'occurred_at') }} as source_record_id,
    min(occurred_at) as observed_at,
    max(occurred_at) as last_seen_at,
    count(*) as observation_count,
    cast(null as {{ dbt.type_string() }}) as person_name,
    {{ identifier_columns({'login': 'login_id', 'email': 'email', 'phone': 'phone', 'device': 'device_id'}) }},
    cast(null as {{ dbt.type_string() }}) as previous_login
from stated
group by device_id, login_id, email, phone, evidence_rank
union all
select
    'web' as source_system,
    rule,
    5 as evidence_rank,
    source_record_id,
    observed_at,
    last_seen_at,
    observation_count,
    cast(null as {{ dbt.type_string() }}) as person_name,
    {{ identifier_columns({
        'login': 'login_id', 'email': 'email', 'phone': 'phone', 'publisher_login': 'publisher_login',
        'push_token': 'push_token', 'device': 'device_id'
    }) }},
    cast(null as {{ dbt.type_string() }}) as previous_login
from held_by_visitors
union all
-- A visitor who typed a name as well: the same sighting, told again for its name
select
    'web' as source_system,
    'traits' as rule,
    case when evidence_grade = 'verified_login' then 2 else 5 end as evidence_rank,
    contact_key as source_record_id,
    created_at as observed_at,
    created_at as last_seen_at,
    0 as observation_count,
    {{ written_name('first_name', 'last_name') }} as person_name,
    {{ identifier_columns({'login': 'login_id', 'email': 'email', 'phone': 'phone', 'device': 'device_id'}) }},
    cast(null as {{ dbt.type_string() }}) as previous_login
from {{ ref('int_web_stated_contacts') }}
where first_name is not null and last_name is not null
union all
select
    'web' as source_system,
    'alias' as rule,
    2 as evidence_rank,
    {{ first_value_by_time('event_id', 'occurred_at') }} as source_record_id,
    min(occurred_at) as observed_at,
    max(occurred_at) as last_seen_at,
    count(*) as observation_count,
    cast(null as {{ dbt.type_string() }}) as person_name,
    {{ identifier_columns({'login': 'login_id', 'device': 'device_id'}) }},
    previous_login_id as previous_login
from earlier_ids
group by login_id, device_id, previous_login_id
union all
-- A login that is written as an address: whoever signs in with it is reached there
select
    'web' as source_system,
    'login_address' as rule,
    2 as evidence_rank,
    {{ first_value_by_time('session_id', 'observed_at') }} as source_record_id,
    min(observed_at) as observed_at,
    max(ended_at) as last_seen_at,
    sum(event_count) as observation_count,
    cast(null as {{ dbt.type_string() }}) as person_name,
    {{ identifier_columns({'login': 'login_id', 'email': 'login_id'}) }},
    cast(null as {{ dbt.type_string() }}) as previous_login
from visits
where login_id like '%@%'
group by login_id
