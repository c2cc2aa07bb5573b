{#- Whether a cohort spends more as it grows older: its months 24 to 29 beside its months 0 to 5. -#}
with cohorts as (
    select * from {{ ref('rpt_cohorts') }}
),

spent as (
    select
        cohort_month,
        max(customer_count) as customer_count,
        count(case when is_complete and age_months between 0 and 5 then 1 end) as first_months,
        count(case when is_complete and age_months between 24 and 29 then 1 end) as later_months,
        sum(case when age_months between 0 and 5 then net_sales else 0 end) as first_net_sales,
        sum(case when age_months between 24 and 29 then net_sales else 0 end) as later_net_sales
    from cohorts
    group by cohort_month
),

final as (
    select
        cohort_month,
        customer_count,
        case
            when first_months < 6 then 'younger_than_6_months'
            when later_months < 6 then 'younger_than_30_months'
            when first_net_sales <= 0 then 'nothing_spent'
        end as null_reason,
        cast(case when first_months = 6 then first_net_sales end as decimal(18, 4)) as first_half_year_net_sales,
        cast(case when later_months = 6 then later_net_sales end as decimal(18, 4)) as months_24_to_29_net_sales
    from spent
)

select
    cohort_month,
    customer_count,
    first_half_year_net_sales,
    months_24_to_29_net_sales,
    case
        when null_reason is null
            then cast(months_24_to_29_net_sales as double) / cast(first_half_year_net_sales as double)
    end as growth_rate,
    null_reason
from final
