{#- Each step of each persona's path and how many people stand at it, and as what; step 0 is before the first. -#}
{%- set states = ['to_begin', 'waiting', 'reacted', 'did_not_react', 'answered', 'ended'] %}

with steps as (
    select
        persona_id,
        persona,
        step,
        action,
        channel,
        after_days,
        if_reacts,
        if_reacts_step,
        if_not,
        if_not_step
    from {{ ref('dim_persona_steps') }}
    union all
    select
        persona_id,
        persona,
        0 as step,
        cast(null as {{ dbt.type_string() }}) as action,
        cast(null as {{ dbt.type_string() }}) as channel,
        cast(null as bigint) as after_days,
        cast(null as {{ dbt.type_string() }}) as if_reacts,
        cast(null as bigint) as if_reacts_step,
        cast(null as {{ dbt.type_string() }}) as if_not,
        cast(null as bigint) as if_not_step
    from {{ ref('dim_persona_steps') }}
    where step = 1
),

people as (
    select
        persona_id,
        step,
        count(*) as customer_count
        {%- for state in states %},
        count(case when state = '{{ state }}' then 1 end) as {{ state }}_count
        {%- endfor %}
    from {{ ref('fct_persona_paths') }}
    group by persona_id, step
)

select
    {{ hash_key(['steps.persona_id', 'steps.step']) }} as persona_step_id,
    steps.persona_id,
    steps.persona,
    steps.step,
    steps.action,
    steps.channel,
    steps.after_days,
    steps.if_reacts,
    steps.if_reacts_step,
    steps.if_not,
    steps.if_not_step,
    coalesce(people.customer_count, 0) as customer_count
    {%- for state in states %},
    coalesce(people.{{ state }}_count, 0) as {{ state }}_count
    {%- endfor %}
from steps
left join people on steps.persona_id = people.persona_id and steps.step = people.step
