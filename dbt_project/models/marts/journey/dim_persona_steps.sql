{#- The path of each persona as its steps: what is done, where, and where it leads whoever reacts or does not. -#}
with documents as (
    select
        persona_id,
        persona,
        {{ json_elements('path', '$') }}
    from {{ ref('dim_personas') }}
),

steps as (
    select
        persona_id,
        persona,
        position as step,
        {{ json_text('item', '$.do') }} as action,
        {{ json_text('item', '$.channel') }} as channel,
        coalesce(cast({{ json_text('item', '$.after_days') }} as bigint), 0) as after_days,
        {{ json_text('item', '$.if_reacts') }} as if_reacts,
        {{ json_text('item', '$.if_not') }} as if_not
    from documents
),

-- An answer in the words of a step leads there, and where two steps have them, to the first
named as (
    select
        persona_id,
        action,
        min(step) as step
    from steps
    group by persona_id, action
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
    reacting.step as if_reacts_step,
    steps.if_not,
    otherwise.step as if_not_step,
    count(*) over (partition by steps.persona_id) as step_count
from steps
left join named as reacting on steps.persona_id = reacting.persona_id and steps.if_reacts = reacting.action
left join named as otherwise on steps.persona_id = otherwise.persona_id and steps.if_not = otherwise.action
