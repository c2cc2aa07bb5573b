{#-
    Who went from which stage to which, how long it took, and who stays where they are: of everybody, or apart by a column
    of `sources`, a query of `customer_id` and that column. Who is in none of its rows is `unknown`.
-#}
{% macro journey_flow(sources=none, by=none) -%}
{%- set day_micros = 86400000000 -%}
{%- set apart = by ~ ',' if by else '' -%}
with visits as (
    select
        customer_id,
        stage,
        stage_number,
        entered_at,
        lead(stage) over (
            partition by customer_id
            order by entered_at, stage_number
        ) as next_stage,
        lead(stage_number) over (
            partition by customer_id
            order by entered_at, stage_number
        ) as next_stage_number,
        lead(entered_at) over (
            partition by customer_id
            order by entered_at, stage_number
        ) as next_entered_at,
        row_number() over (
            partition by customer_id
            order by entered_at, stage_number
        ) as visit_number
    from {{ ref('fct_customer_journey_stages') }}
),

customers as (
    select
        customers.customer_id,
        {%- if by %}
        coalesce(sources.{{ by }}, 'unknown') as {{ by }},
        {%- endif %}
        customers.last_seen_at < {{ before_as_of(var('journey_silent_days'), 'day') }} as is_silent
    from {{ ref('dim_customers') }} as customers
    {%- if by %}
    left join ({{ sources }}) as sources on customers.customer_id = sources.customer_id
    {%- endif %}
),

-- Everybody begins somewhere, not always at the first stage
steps as (
    select
        customer_id,
        cast(null as {{ dbt.type_string() }}) as from_stage,
        0 as from_number,
        stage as to_stage,
        stage_number as to_number,
        cast(null as double) as days
    from visits
    where visit_number = 1
    union all
    select
        customer_id,
        stage as from_stage,
        stage_number as from_number,
        next_stage as to_stage,
        next_stage_number as to_number,
        cast({{ epoch_micros('next_entered_at') }} - {{ epoch_micros('entered_at') }} as double) / {{ day_micros }} as days
    from visits
),

ordered as (
    select
        steps.*,
        {%- if by %}
        customers.{{ by }},
        {%- endif %}
        coalesce(customers.is_silent, false) as is_silent,
        row_number() over (
            partition by {{ apart }} steps.from_number, steps.to_number
            order by steps.days, steps.customer_id
        ) as day_number,
        count(*) over (partition by {{ apart }} steps.from_number, steps.to_number) as step_count
    from steps
    inner join customers on steps.customer_id = customers.customer_id
),

flows as (
    select
        {{ apart }}
        from_stage,
        from_number,
        to_stage,
        to_number,
        count(*) as customer_count,
        sum(case when to_stage is null and is_silent then 1 else 0 end) as silent_count,
        -- The lower middle one, so that it is a time that somebody took
        min(case when 2 * day_number >= step_count then days end) as median_days
    from ordered
    group by {{ apart }} from_stage, from_number, to_stage, to_number
)

select
    {{ hash_key(([by] if by else []) + ['from_stage', 'to_stage']) }} as journey_flow_id,
    {{ apart }}
    from_stage,
    to_stage,
    customer_count,
    cast(customer_count as double) / sum(customer_count) over (
        partition by {{ apart }} from_number
        order by to_number
        rows between unbounded preceding and unbounded following
    ) as share,
    coalesce(to_number - from_number - 1, 0) as skipped_stage_count,
    silent_count,
    median_days
from flows
{%- endmacro %}
