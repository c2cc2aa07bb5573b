{#-
    How far each person is on the path of their first persona, and what is next.

    A step is done where a message on its channel carries its words as kind, campaign or flow; case, hyphens and
    underscores do not matter. What is done when people react, or do not, counts in the same way on any channel. A
    person stands at the latest of these. They react by a click, a reply or a kept order within
    `persona_reaction_days`; an open says nothing.
-#}
{%- set reaction_days = var('persona_reaction_days') %}
{%- set labels = ['message_kind', 'campaign_id', 'campaign_name', 'flow_id'] %}

with steps as (
    select * from {{ ref('dim_persona_steps') }}
),

led as (
    select
        assignments.customer_id,
        assignments.persona_id,
        assignments.persona,
        steps.step_count
    from {{ ref('persona_assignments') }} as assignments
    inner join steps on assignments.persona_id = steps.persona_id and steps.step = 1
    where assignments.is_first
),

-- What is done at a step; an answer that is a step of its own is done there
actions as (
    select
        persona_id,
        step,
        'step' as part,
        {{ plain_label('action') }} as label,
        channel
    from steps
    union all
    select
        persona_id,
        step,
        'answer' as part,
        {{ plain_label('if_reacts') }} as label,
        cast(null as {{ dbt.type_string() }}) as channel
    from steps
    where if_reacts is not null and if_reacts_step is null
    union all
    select
        persona_id,
        step,
        'answer' as part,
        {{ plain_label('if_not') }} as label,
        cast(null as {{ dbt.type_string() }}) as channel
    from steps
    where if_not is not null and if_not_step is null
),

-- Few, so that messages are looked at once
message_labels as (
    {%- for column in labels %}
    select distinct
        '{{ column }}' as named_by,
        {{ column }} as name
    from {{ ref('fct_messages') }}
    where {{ column }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

named_actions as (
    select distinct
        actions.persona_id,
        actions.step,
        actions.part,
        actions.channel,
        message_labels.named_by,
        message_labels.name
    from actions
    inner join message_labels on actions.label = {{ plain_label('message_labels.name') }}
),

sent as (
    {%- for column in labels %}
    select
        led.customer_id,
        named_actions.step,
        named_actions.part,
        messages.message_id,
        messages.sent_at,
        messages.clicked_at,
        messages.replied_at
    from named_actions
    inner join {{ ref('fct_messages') }} as messages
        on
            named_actions.name = messages.{{ column }}
            and coalesce(named_actions.channel, messages.channel) = messages.channel
    inner join led
        on messages.customer_id = led.customer_id and named_actions.persona_id = led.persona_id
    where named_actions.named_by = '{{ column }}' and messages.sent_at is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

standing as (
    select *
    from sent
    qualify row_number() over (
        partition by customer_id
        order by sent_at desc, step desc, part, message_id
    ) = 1
),

ordered as (
    select
        standing.customer_id,
        min(orders.ordered_at) as ordered_at
    from standing
    inner join {{ ref('fct_orders') }} as orders on standing.customer_id = orders.customer_id
    where
        orders.is_kept
        and orders.ordered_at > standing.sent_at
        and orders.ordered_at <= {{ dbt.dateadd('day', reaction_days, 'standing.sent_at') }}
    group by standing.customer_id
),

reacted as (
    select
        led.customer_id,
        led.persona_id,
        led.persona,
        led.step_count,
        coalesce(standing.step, 0) as step,
        coalesce(standing.part, 'none') as part,
        standing.sent_at,
        least(standing.clicked_at, standing.replied_at, ordered.ordered_at) as reacted_at,
        steps.if_reacts,
        steps.if_reacts_step,
        steps.if_not,
        steps.if_not_step
    from led
    left join standing on led.customer_id = standing.customer_id
    left join ordered on led.customer_id = ordered.customer_id
    left join steps on led.persona_id = steps.persona_id and standing.step = steps.step
),

judged as (
    select
        *,
        case
            when part = 'none' then 'to_begin'
            when part = 'answer' then 'answered'
            when reacted_at is not null then 'reacted'
            when sent_at > {{ before_as_of(reaction_days, 'day') }} then 'waiting'
            else 'did_not_react'
        end as state
    from reacted
),

answered as (
    select
        *,
        case
            when state = 'reacted' then if_reacts
            when state = 'did_not_react' then if_not
        end as answer,
        case
            when state = 'reacted' then if_reacts_step
            when state = 'did_not_react' then if_not_step
        end as answer_step
    from judged
),

onward as (
    select
        *,
        case
            when state = 'waiting' or (answer is not null and answer_step is null) then null
            when coalesce(answer_step, step + 1) <= step_count then coalesce(answer_step, step + 1)
        end as next_step
    from answered
)

select
    onward.customer_id,
    onward.persona_id,
    onward.persona,
    onward.step,
    onward.sent_at as done_at,
    onward.reacted_at,
    case
        when onward.state <> 'waiting' and coalesce(upcoming.action, onward.answer) is null then 'ended'
        else onward.state
    end as state,
    onward.next_step,
    coalesce(upcoming.action, onward.answer) as next_action,
    upcoming.channel as next_channel,
    case
        when upcoming.action is null and onward.answer is null then null
        when onward.sent_at is null then {{ as_of() }}
        when upcoming.action is null then coalesce(onward.reacted_at, {{ dbt.dateadd('day', reaction_days, 'onward.sent_at') }})
        else {{ dbt.dateadd('day', 'upcoming.after_days', 'onward.sent_at') }}
    end as next_due_at
from onward
left join steps as upcoming on onward.persona_id = upcoming.persona_id and onward.next_step = upcoming.step
