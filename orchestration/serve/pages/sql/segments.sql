-- Every segment: members, what they bought to date, whom its own channel may reach, who entered and
-- left in the last seven days, and how often it was delivered to whom in the last thirty.
with members as (
    select m.segment, count(*) as people, sum(c.lifetime_net_sales) as net_sales,
        count(*) filter (where m.entered_at > $as_of - interval 7 day) as entered_7d
    from marts.fct_segment_memberships as m
    left join marts.dim_customers as c using (customer_id)
    where m.exited_at is null
    group by m.segment
),
leavers as (
    select segment, count(*) as left_7d
    from marts.fct_segment_memberships
    where exited_at > $as_of - interval 7 day
    group by segment
)
select s.segment, s.label, s.description, s.channel, s.purpose, s.priority,
    coalesce(m.people, 0) as people,
    m.net_sales,
    m.net_sales / m.people as net_sales_each,
    r.reached_count as reach,
    coalesce(m.entered_7d, 0) as entered_7d,
    coalesce(l.left_7d, 0) as left_7d
from marts.dim_segments as s
left join members as m using (segment)
left join leavers as l using (segment)
left join marts.rpt_segment_reach as r on r.segment = s.segment and r.channel = s.channel
order by s.priority, s.segment
