{#- Each step of a message to a person, by its first time. -#}
{{ config(materialized='view') }}

with steps as (
    {%- for step, moment, direction in message_steps() %}
    select
        '{{ step }}' as step,
        '{{ direction }}' as direction
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

taken as (
    select
        messages.*,
        steps.step,
        steps.direction,
        case steps.step
            {%- for step, moment, direction in message_steps() %}
            when '{{ step }}' then messages.{{ moment }}
            {%- endfor %}
        end as occurred_at
    from {{ ref('int_messages_resolved') }} as messages
    cross join steps
    where messages.customer_id is not null
)

select
    {{ key_number(['step', 'message_id']) }} as interaction_id,
    customer_id,
    occurred_at,
    message_source as source_system,
    channel,
    step as kind,
    direction,
    campaign_id,
    flow_id,
    message_kind,
    case
        when step = 'message_bounced' then {{ json_object_text({'is_hard_bounce': 'is_hard_bounce'}) }}
        when step = 'message_replied' then {{ json_object_text({'asks_to_stop': 'is_opt_out_reply'}) }}
        when variant is not null then {{ json_object_text({'variant': 'variant'}) }}
    end as detail
from taken
where occurred_at <= {{ as_of() }}
