{#-
    What the members of each segment are worth, and what treating people made of it. Who is compared is everybody who was
    ever drawn for the segment, and not today's members: whom a message made buy has left it.
-#}
{%- set money = 'decimal(18, 4)' %}

with members as (
    select
        memberships.segment,
        count(*) as member_count,
        count(clv.customer_id) as buyer_count,
        count(clv.predicted_clv_365d) as predicted_count,
        cast(sum(cast(clv.historic_clv as {{ money }})) as {{ money }}) as historic_clv,
        cast(sum(cast(clv.predicted_clv_365d as {{ money }})) as {{ money }}) as predicted_clv_365d,
        cast(sum(cast(clv.predicted_clv_low as {{ money }})) as {{ money }}) as predicted_clv_low,
        cast(sum(cast(clv.predicted_clv_high as {{ money }})) as {{ money }}) as predicted_clv_high,
        case
            when count(clv.customer_id) = 0 then 'no_buyers'
            when count(clv.predicted_clv_365d) = 0
                then coalesce(min(case when clv.null_reason <> 'missing_rate' then clv.null_reason end), 'missing_rate')
        end as null_reason
    from {{ ref('fct_segment_memberships') }} as memberships
    left join {{ ref('fct_customer_clv') }} as clv
        on memberships.customer_id = clv.customer_id and clv.as_of_date = {{ as_of_date() }}
    where memberships.is_current
    group by memberships.segment
),

trials as (
    select *
    from {{ ref('rpt_experiments') }}
    where kind = 'holdout' and metric = 'predicted_clv'
)

select
    segments.segment,
    segments.programme,
    coalesce(members.member_count, 0) as member_count,
    coalesce(members.buyer_count, 0) as buyer_count,
    coalesce(members.predicted_count, 0) as predicted_count,
    members.historic_clv,
    cast(members.historic_clv / members.member_count as {{ money }}) as historic_clv_each,
    members.predicted_clv_365d,
    members.predicted_clv_low,
    members.predicted_clv_high,
    cast(members.predicted_clv_365d / members.member_count as {{ money }}) as predicted_clv_each,
    '{{ var("shop_currency") }}' as currency,
    case when members.segment is null then 'no_members' else members.null_reason end as null_reason,
    trials.treated_count,
    trials.control_count,
    trials.treated as treated_clv_each,
    trials.control as control_clv_each,
    trials.lift as clv_lift,
    trials.low as clv_lift_low,
    trials.high as clv_lift_high,
    case when trials.holdout is null then 'no_holdout' else trials.null_reason end as lift_null_reason
from {{ ref('dim_segments') }} as segments
left join members on segments.segment = members.segment
left join trials on segments.segment = trials.holdout
