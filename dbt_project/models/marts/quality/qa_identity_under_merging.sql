with signals as (
    select * from {{ ref('int_identity_under_merging') }}
),

summed as (
    select
        *,
        sum(score) over (partition by customer_a, customer_b) as pair_score
    from signals
),

final as (
    select
        customer_a,
        customer_b,
        signal,
        score,
        pair_score,
        dense_rank() over (order by pair_score desc, customer_a, customer_b) as review_rank
    from summed
)

select * from final
