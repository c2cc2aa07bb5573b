select
    customer_id,
    interest_kind,
    interest,
    score,
    interest_rank,
    signal_count,
    last_signal_at
from {{ ref('int_interests_dated') }}
where as_of_date = {{ as_of_date() }} and interest_rank <= {{ var('interests_kept') }}
