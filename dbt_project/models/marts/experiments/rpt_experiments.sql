{#-
    What is measured of the groups, and what each person is expected to bring in a year. An expectation does not add up
    over the time of an experiment, so its interval is as wide as that of the others is at the planned end
    (half_width(variance, 1) in orchestration/science/experiments/lift.py), at every look.
-#}
{%- set standard_errors = 3.035209 %}
{%- set least_group = 30 %}

with results as (
    select * from {{ ref('stg_science__experiment_results') }}
),

-- Who never ordered has no prediction and counts as nothing; who has none for want of a rate is left out
worth as (
    select
        outcomes.kind,
        outcomes.experiment,
        outcomes.is_treated,
        clv.null_reason,
        clv.predicted_clv_365d,
        case
            when clv.customer_id is null then cast(0 as double) else cast(clv.predicted_clv_365d as double)
        end as expected
    from {{ ref('fct_experiment_outcomes') }} as outcomes
    left join {{ ref('fct_customer_clv') }} as clv
        on outcomes.customer_id = clv.customer_id and clv.as_of_date = {{ as_of_date() }}
),

groups as (
    select
        kind,
        experiment,
        count(case when is_treated then expected end) as treated_count,
        count(case when not is_treated then expected end) as control_count,
        sum(case when is_treated then expected end) / nullif(count(case when is_treated then expected end), 0) as treated,
        sum(case when not is_treated then expected end)
        / nullif(count(case when not is_treated then expected end), 0) as control,
        var_samp(case when is_treated then expected end) as treated_variance,
        var_samp(case when not is_treated then expected end) as control_variance,
        case
            when count(predicted_clv_365d) = 0
                then coalesce(min(case when null_reason <> 'missing_rate' then null_reason end), min(null_reason))
        end as withheld_reason
    from worth
    group by kind, experiment
),

compared as (
    select
        *,
        treated - control as lift,
        {{ standard_errors }} * sqrt(treated_variance / treated_count + control_variance / control_count) as half_width,
        case
            when withheld_reason is not null then withheld_reason
            when treated_count < {{ least_group }} or control_count < {{ least_group }} then 'too_few_people'
            when treated_variance + control_variance = 0 then 'nothing_differs'
        end as null_reason
    from groups
),

expected as (
    select
        results.kind,
        results.experiment,
        'predicted_clv' as metric,
        results.began_at,
        results.measured_until,
        results.share_done,
        results.treated_count,
        results.control_count,
        results.is_unequal,
        case when compared.withheld_reason is null then round(compared.treated, 9) end as treated,
        case when compared.withheld_reason is null then round(compared.control, 9) end as control,
        case
            when compared.null_reason is null or compared.null_reason = 'nothing_differs' then round(compared.lift, 9)
        end as lift,
        case when compared.null_reason is null then round(compared.lift - compared.half_width, 9) end as lift_low,
        case when compared.null_reason is null then round(compared.lift + compared.half_width, 9) end as lift_high,
        compared.null_reason is null and abs(compared.lift) > compared.half_width as is_conclusive,
        cast(null as double) as weeks_to_detect,
        cast(null as double) as variance_kept,
        compared.null_reason
    from results
    inner join compared on results.kind = compared.kind and results.experiment = compared.experiment
    where results.metric = 'visits'
),

everything as (
    select
        kind,
        experiment,
        metric,
        began_at,
        measured_until,
        share_done,
        treated_count,
        control_count,
        is_unequal,
        treated,
        control,
        lift,
        lift_low,
        lift_high,
        is_conclusive,
        weeks_to_detect,
        variance_kept,
        null_reason
    from results
    union all
    select * from expected
)

select
    {{ hash_key(['kind', 'experiment', 'metric']) }} as experiment_metric_id,
    kind,
    experiment as holdout,
    metric,
    began_at,
    measured_until,
    share_done,
    treated_count,
    control_count,
    is_unequal,
    treated,
    control,
    lift,
    lift_low as low,
    lift_high as high,
    is_conclusive,
    weeks_to_detect,
    variance_kept,
    null_reason
from everything
