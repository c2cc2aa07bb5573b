-- The RFM groups now, the largest value first: people and net sales to date, the person in the
-- middle, and who stayed, came (new buyers among them) and went between the last two dates that lie
-- a week or more apart: month ends, and the day of the build.
with buyers as (
    select coalesce(rfm_segment, 'unknown') as rfm_segment, monetary, frequency, recency_days
    from marts.fct_customer_rfm
    where is_current
),
groups as (
    select rfm_segment, count(*) as people, sum(monetary) as net_sales,
        quantile_disc(frequency, 0.5)::int as orders, quantile_disc(recency_days, 0.5)::int as days
    from buyers
    group by rfm_segment
),
moves as (
    select from_segment, to_segment, customer_count
    from marts.rpt_rfm_transitions
    where to_date = (
        select max(to_date) from marts.rpt_rfm_transitions where to_date - from_date >= 7
    )
),
came as (
    select to_segment as rfm_segment,
        sum(customer_count) filter (where from_segment = to_segment) as stayed,
        sum(customer_count) filter (where from_segment <> to_segment) as came,
        sum(customer_count) filter (where from_segment = 'prospects') as began
    from moves
    group by to_segment
),
went as (
    select from_segment as rfm_segment, sum(customer_count) as went
    from moves
    where from_segment not in (to_segment, 'prospects')
    group by from_segment
),
known as (
    select count(*) > 0 as has_moves from moves
)
select rfm_segment, coalesce(groups.people, 0) as people, groups.net_sales, groups.orders,
    groups.days,
    case when known.has_moves then coalesce(came.stayed, 0)::bigint end as stayed,
    case when known.has_moves then coalesce(came.came, 0)::bigint end as came,
    case when known.has_moves then coalesce(came.began, 0)::bigint end as began,
    case when known.has_moves then coalesce(went.went, 0)::bigint end as went
from groups
full join came using (rfm_segment)
full join went using (rfm_segment)
cross join known
order by groups.net_sales desc nulls last, rfm_segment
