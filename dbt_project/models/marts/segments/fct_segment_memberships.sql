with stays as (
    select * from {{ ref('int_segment_stays') }}
),

-- Which conditions hold of whoever entered at this run; earlier stays keep the words of their own.
entry_reasons as (
    select
        conditions.segment,
        conditions.customer_id,
        {{ text_path('conditions.words', 'conditions.condition_rank', '; ') }} as words
    from {{ ref('fct_segment_conditions') }} as conditions
    inner join stays
        on conditions.segment = stays.segment and conditions.customer_id = stays.customer_id
    where stays.entered_at = {{ as_of() }} and stays.is_current and conditions.is_met = conditions.is_wanted
    group by conditions.segment, conditions.customer_id
),

final as (
    select
        stays.segment,
        stays.customer_id,
        stays.programme,
        stays.is_current,
        stays.entered_at,
        stays.exited_at,
        stays.left_at,
        coalesce(
            stays.entry_reason, case when stays.entered_at = {{ as_of() }} then entry_reasons.words end
        ) as entry_reason,
        stays.exit_reason,
        stays.goal
    from stays
    left join entry_reasons
        on stays.segment = entry_reasons.segment and stays.customer_id = entry_reasons.customer_id
)

select * from final
