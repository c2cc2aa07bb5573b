{#- Whose a visit is, and whose its device is: the two differ on a shared device with a login. -#}
{{ config(materialized='view') }}

with sessions as (
    select *
    from {{ ref('int_web_sessions') }}
    where started_at <= {{ as_of() }}
),

user_agents as (
    select *
    from {{ ref('int_web_user_agents') }}
)

select
    sessions.*,
    device_owners.customer_id as device_customer_id,
    login_owners.customer_id as login_customer_id,
    coalesce(login_owners.customer_id, device_owners.customer_id) as customer_id,
    coalesce(user_agents.is_bot, false) as is_bot,
    coalesce(sessions.device_type, user_agents.device_type) as resolved_device_type,
    {{ is_internal_visit('sessions.ip', 'coalesce(login_owners.customer_id, device_owners.customer_id)') }} as is_internal
from sessions
left join {{ ref('int_raw_identifier_customers') }} as device_owners
    on sessions.device_id = device_owners.raw_value and device_owners.identifier_type = 'device'
left join {{ ref('int_raw_identifier_customers') }} as login_owners
    on sessions.login_id = login_owners.raw_value and login_owners.identifier_type = 'login'
left join user_agents on sessions.user_agent = user_agents.user_agent
