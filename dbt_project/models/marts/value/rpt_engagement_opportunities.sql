with people as (
    select * from {{ ref('fct_customer_rfm_engagement') }}
),

final as (
    select
        as_of_date,
        coalesce(rfm_segment, 'unknown') as rfm_segment,
        engagement,
        opportunity,
        count(*) as customer_count,
        count(*) filter (where open_count > 0) as opening_customer_count,
        cast(sum(monetary) as decimal(18, 4)) as monetary,
        currency
    from people
    group by as_of_date, coalesce(rfm_segment, 'unknown'), engagement, opportunity, currency
)

select * from final
