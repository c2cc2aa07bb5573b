{#-
    What each person of an experiment or a holdout did since they were drawn, and in as long before as is compared. Who
    was in both groups is left out; an identifier that is nobody's did nothing, so that the groups keep their sizes.
-#}
{%- set text = dbt.type_string() %}
{%- set day_micros = 86400000000 -%}
{%- set compared = ['visits', 'orders', 'net_sales', 'unsubscribes'] -%}
{%- set metrics = compared + ['messages', 'clicks'] -%}

with elsewhere as (
    select
        'experiment' as kind,
        experiment_id as experiment,
        coalesce(customer_id, assignment_key) as person_key,
        customer_id,
        experiment_group = 'treatment' as is_treated,
        assigned_at,
        {{ var('experiment_days') }} as planned_days,
        cast(null as double) as planned_share
    from {{ ref('fct_experiment_assignments') }}
    where not is_in_both_groups and assigned_at < {{ as_of() }}
),

-- Of people who became one, the row that was drawn first holds
drawn as (
    select
        holdouts.holdout,
        coalesce(aliases.customer_id, holdouts.customer_id) as customer_id,
        holdouts.is_held_out,
        holdouts.assigned_at
    from {{ ref('stg_ops__holdouts') }} as holdouts
    left join {{ ref('customer_aliases') }} as aliases on holdouts.customer_id = aliases.alias_id
    where holdouts.assigned_at < {{ as_of() }}
    qualify row_number() over (
        partition by holdouts.holdout, coalesce(aliases.customer_id, holdouts.customer_id)
        order by holdouts.assigned_at, holdouts.customer_id
    ) = 1
),

ours as (
    select
        'holdout' as kind,
        drawn.holdout as experiment,
        drawn.customer_id as person_key,
        drawn.customer_id,
        not drawn.is_held_out as is_treated,
        drawn.assigned_at,
        {{ var('holdout_days') }} as planned_days,
        1 - case when drawn.holdout = 'global' then {{ var('holdout_share') }} else segments.holdout_share end
            as planned_share
    from drawn
    inner join {{ ref('dim_customers') }} as customers on drawn.customer_id = customers.customer_id
    left join {{ ref('dim_segments') }} as segments on drawn.holdout = segments.segment
),

people as (
    select * from elsewhere
    union all
    select * from ours
),

-- An experiment ends; a holdout goes on
windows as (
    select
        *,
        {{ epoch_micros('assigned_at') }} as began,
        case
            when kind = 'holdout' then {{ epoch_micros(as_of()) }}
            else least(
                {{ epoch_micros(as_of()) }},
                {{ epoch_micros('assigned_at') }} + planned_days * cast({{ day_micros }} as bigint)
            )
        end as ended
    from people
),

events as (
    {%- for events in [
        {'table': 'fct_web_sessions', 'at': 'started_at', 'where': 'is_human', 'is': {'visits': 1}},
        {'table': 'fct_orders', 'at': 'ordered_at', 'where': 'is_kept',
            'is': {'orders': 1, 'net_sales': 'coalesce(net_sales_shop, 0)'}},
        {'table': 'fct_messages', 'at': 'unsubscribed_at', 'where': 'unsubscribed_at is not null',
            'is': {'unsubscribes': 1}},
        {'table': 'fct_messages', 'at': 'delivered_at', 'where': 'delivered_at is not null',
            'is': {'messages': 1, 'clicks': 'case when clicked_at is not null then 1 else 0 end'}},
    ] %}
    select
        customer_id,
        {{ epoch_micros(events['at']) }} as happened,
        {%- for metric in metrics %}
        cast({{ events['is'].get(metric, 0) }} as decimal(18, 4)) as {{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref(events['table']) }}
    where {{ events['where'] }} and customer_id is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

done as (
    select
        windows.kind,
        windows.experiment,
        windows.person_key,
        {%- for metric in metrics %}
        sum(case when events.happened >= windows.began then events.{{ metric }} end) as {{ metric }},
        {%- endfor %}
        {%- for metric in compared %}
        sum(case when events.happened < windows.began then events.{{ metric }} end) as {{ metric }}_before
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from windows
    inner join events
        on
            windows.customer_id = events.customer_id
            and events.happened >= windows.began - {{ var('experiment_days_before') }} * cast({{ day_micros }} as bigint)
            and windows.ended > events.happened
    group by windows.kind, windows.experiment, windows.person_key
)

select
    {{ hash_key(['windows.kind', 'windows.experiment', 'windows.person_key']) }} as experiment_outcome_id,
    windows.kind,
    windows.experiment,
    windows.customer_id,
    windows.is_treated,
    windows.assigned_at,
    {{ timestamp_from_micros('windows.ended') }} as measured_until,
    windows.planned_days,
    windows.planned_share,
    {%- for metric in metrics %}
    cast(coalesce(done.{{ metric }}, 0) as decimal(18, 4)) as {{ metric }},
    {%- endfor %}
    {%- for metric in compared %}
    cast(coalesce(done.{{ metric }}_before, 0) as decimal(18, 4)) as {{ metric }}_before
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
from windows
left join done
    on
        windows.kind = done.kind
        and windows.experiment = done.experiment
        and windows.person_key = done.person_key
