with sizes as (
    select * from {{ ref('stg_ops__audience_sizes') }}
),

final as (
    select
        destination,
        segment,
        asked_at,
        held_count,
        ledger_count,
        missing_count,
        surplus_count,
        missing_count + surplus_count as drift_count,
        coalesce(
            cast(matched_percent as double) / 100,
            case when ledger_count > 0 then cast(ledger_count - missing_count as double) / ledger_count end
        ) as match_rate
    from sizes
)

select * from final
