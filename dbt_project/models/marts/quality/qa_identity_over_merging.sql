with signals as (
    select * from {{ ref('int_identity_over_merging') }}
),

summed as (
    select
        *,
        sum(score) over (partition by customer_id) as customer_score
    from signals
),

final as (
    select
        customer_id,
        signal,
        case when score >= 4 then 'high' when score >= 2 then 'medium' else 'low' end as severity,
        score,
        customer_score,
        dense_rank() over (order by customer_score desc, customer_id) as review_rank,
        detail
    from summed
)

select * from final
