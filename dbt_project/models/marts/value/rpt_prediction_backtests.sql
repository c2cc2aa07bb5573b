with judged as (
    select * from {{ ref('stg_science__prediction_backtests') }}
    union all
    select * from {{ ref('stg_science__category_backtests') }}
    union all
    select * from {{ ref('stg_science__intent_backtests') }}
),

final as (
    select
        model,
        target,
        origin_date,
        horizon_days,
        people,
        error,
        baseline_error,
        baseline,
        predicted_total,
        actual_total,
        coverage_90,
        coverage_90_people,
        is_published,
        null_reason
    from judged
    -- Of another day, these are left from an earlier run.
    where as_of_date = {{ as_of_date() }}
)

select * from final
