{#- What a browser's name tells, worked out once per distinct name. -#}
with user_agents as (
    select distinct user_agent
    from {{ ref('int_web_sessions') }}
    where user_agent is not null
),

bot_patterns as (
    select {{ text_list('pattern', '|') }} as pattern
    from {{ ref('bot_patterns') }}
)

select
    user_agents.user_agent,
    {{ text_matches('lower(user_agents.user_agent)', 'bot_patterns.pattern') }} as is_bot,
    case
        when {{ text_matches('lower(user_agents.user_agent)', "'ipad|tablet|kindle|silk/'") }} then 'tablet'
        when {{ text_matches('lower(user_agents.user_agent)', "'mobi|iphone|ipod|android'") }} then 'mobile'
        else 'desktop'
    end as device_type
from user_agents
cross join bot_patterns
