select
    method,
    origin_date,
    people,
    right_count,
    hit_rate_10,
    is_published,
    null_reason
from {{ ref('stg_science__recommendation_backtests') }}
where as_of_date = {{ as_of_date() }}
