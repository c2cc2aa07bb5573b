with predictions as (
    select * from {{ ref('fct_customer_predictions') }}
),

rfm as (
    select * from {{ ref('fct_customer_rfm') }}
),

clv as (
    select * from {{ ref('fct_customer_clv') }}
),

final as (
    select
        predictions.as_of_date,
        predictions.is_current,
        coalesce(predictions.clv_tier, 'unknown') as clv_tier,
        coalesce(rfm.rfm_segment, 'unknown') as rfm_segment,
        count(*) as customer_count,
        cast(sum(clv.historic_clv) as decimal(18, 4)) as historic_clv,
        cast(sum(clv.predicted_clv_365d) as decimal(18, 4)) as predicted_clv_365d,
        '{{ var("shop_currency") }}' as currency
    from predictions
    inner join rfm
        on predictions.customer_id = rfm.customer_id and predictions.as_of_date = rfm.as_of_date
    inner join clv
        on predictions.customer_id = clv.customer_id and predictions.as_of_date = clv.as_of_date
    group by
        predictions.as_of_date,
        predictions.is_current,
        coalesce(predictions.clv_tier, 'unknown'),
        coalesce(rfm.rfm_segment, 'unknown')
)

select * from final
