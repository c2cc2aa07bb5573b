with rfm as (
    select * from {{ ref('fct_customer_rfm') }}
),

-- Of another day, these are left from an earlier run.
predicted as (
    select * from {{ ref('stg_science__customer_value') }}
    where as_of_date = {{ as_of_date() }}
),

final as (
    select
        rfm.customer_id,
        rfm.as_of_date,
        rfm.is_current,
        rfm.monetary as historic_clv,
        predicted.predicted_clv_365d,
        predicted.predicted_clv_low,
        predicted.predicted_clv_high,
        predicted.margin_365d,
        predicted.probability_alive,
        predicted.expected_orders_365d,
        rfm.currency,
        case
            when rfm.monetary is null then 'missing_rate'
            when not rfm.is_current then 'past_date'
            when predicted.customer_id is null then 'no_fitted_model'
            else predicted.null_reason
        end as null_reason,
        case
            when rfm.monetary is null then 'missing_rate'
            when not rfm.is_current then 'past_date'
            when predicted.customer_id is null then 'no_fitted_model'
            else predicted.margin_null_reason
        end as margin_null_reason,
        predicted.predicted_next_order_at
    from rfm
    left join predicted
        on
            -- A condition of its own on the left side would compare every row with every other.
            case when rfm.monetary is not null then rfm.customer_id end = predicted.customer_id
            and rfm.as_of_date = predicted.as_of_date
)

select * from final
