-- Every segment: members, what they bought to date, whom its own channel may reach for its purpose,
-- and who entered and left in the last seven days, once a week of stays is recorded.
with members as (
    select m.segment, count(*) as people, sum(c.lifetime_net_sales) as net_sales,
        count(*) filter (where m.entered_at > $as_of - interval 7 day) as entered_7d
    from marts.fct_segment_memberships as m
    left join marts.dim_customers as c using (customer_id)
    where m.is_current
    group by m.segment
),
leavers as (
    select segment, count(*) as left_7d
    from marts.fct_segment_memberships
    where exited_at > $as_of - interval 7 day
    group by segment
),
reached as (
    select s.segment, count(*) as reach
    from marts.dim_segments as s
    join marts.fct_segment_memberships as m on m.segment = s.segment and m.is_current
    join marts.contactability as c
        on c.customer_id = m.customer_id and c.channel = s.channel and c.purpose = s.purpose
    where c.is_contactable
    group by s.segment
),
recorded as (
    select coalesce(min(entered_at) <= $as_of - interval 7 day, false) as is_a_week
    from marts.fct_segment_memberships
)
select s.segment, s.label, s.description, s.channel, s.purpose, s.priority,
    coalesce(m.people, 0) as people,
    m.net_sales,
    m.net_sales / m.people as net_sales_each,
    coalesce(r.reach, 0) as reach,
    case when recorded.is_a_week then coalesce(m.entered_7d, 0) end as entered_7d,
    case when recorded.is_a_week then coalesce(l.left_7d, 0) end as left_7d
from marts.dim_segments as s
cross join recorded
left join members as m using (segment)
left join leavers as l using (segment)
left join reached as r using (segment)
order by s.priority, s.segment
