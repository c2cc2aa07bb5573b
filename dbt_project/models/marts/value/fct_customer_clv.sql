select
    customer_id,
    as_of_date,
    is_current,
    monetary as historic_clv,
    cast(null as decimal(18, 4)) as predicted_clv_365d,
    cast(null as double) as probability_alive,
    cast(null as double) as expected_orders_365d,
    currency,
    case
        when monetary is null then 'missing_rate'
        else 'no_fitted_model'
    end as null_reason,
    cast(null as timestamp) as predicted_next_order_at
from {{ ref('fct_customer_rfm') }}
