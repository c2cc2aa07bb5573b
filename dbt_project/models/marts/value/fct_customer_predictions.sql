with clv as (
    select * from {{ ref('fct_customer_clv') }}
),

-- Of another day, these are left from an earlier run.
predicted as (
    select * from {{ ref('stg_science__customer_predictions') }}
    where as_of_date = {{ as_of_date() }}
),

categories as (
    select * from {{ ref('stg_science__next_category') }}
    where as_of_date = {{ as_of_date() }}
),

valued as (
    select
        clv.*,
        coalesce(predicted_clv_365d, historic_clv) as tier_value,
        case
            when predicted_clv_365d is not null then 'predicted'
            when historic_clv is not null then 'historic'
        end as clv_tier_basis
    from clv
),

cuts as (
    select
        as_of_date,
        clv_tier_basis,
        {{ clv_tier_cuts('tier_value') }}
    from valued
    where clv_tier_basis is not null
    group by as_of_date, clv_tier_basis
),

final as (
    select
        valued.customer_id,
        valued.as_of_date,
        valued.is_current,
        predicted.churn_risk,
        predicted.low,
        predicted.high,
        predicted.buys_in_7d,
        predicted.buys_in_30d,
        predicted.buys_in_90d,
        categories.next_category,
        {{ clv_tier('valued.tier_value', 'cuts') }} as clv_tier,
        valued.clv_tier_basis,
        predicted.model,
        case
            when not valued.is_current then 'past_date'
            when valued.historic_clv is null then 'missing_rate'
            when predicted.customer_id is null then 'no_fitted_model'
            else predicted.null_reason
        end as null_reason,
        categories.model as next_category_model,
        case
            when not valued.is_current then 'past_date'
            when categories.customer_id is null then 'no_category'
            else categories.null_reason
        end as next_category_null_reason
    from valued
    left join cuts
        on valued.as_of_date = cuts.as_of_date and valued.clv_tier_basis = cuts.clv_tier_basis
    left join predicted
        on
            -- A condition of its own on the left side would compare every row with every other.
            case when valued.historic_clv is not null then valued.customer_id end = predicted.customer_id
            and valued.as_of_date = predicted.as_of_date
    left join categories
        on valued.customer_id = categories.customer_id and valued.as_of_date = categories.as_of_date
)

select * from final
