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
from {{ ref('stg_science__prediction_backtests') }}
where as_of_date = {{ as_of_date() }}
