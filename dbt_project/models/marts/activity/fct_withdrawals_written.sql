with withdrawals as (
    select * from {{ ref('stg_ops__withdrawals_written') }}
),

final as (
    select
        destination,
        channel,
        refusal_id,
        reason,
        refused_at,
        state,
        answer,
        attempts as attempt_count,
        first_tried_at,
        last_tried_at,
        done_at
    from withdrawals
)

select * from final
