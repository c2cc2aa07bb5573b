select
    product_id,
    interval_days,
    basis,
    found_days,
    category_days,
    declared_days,
    repeat_buyer_count,
    comeback_count,
    found_right_count,
    declared_right_count,
    null_reason
from {{ ref('stg_science__replenishment_intervals') }}
where as_of_date = {{ as_of_date() }}
