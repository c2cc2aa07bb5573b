-- One segment as its file describes it, and its members in sums.
with members as (
    select count(*) as people, sum(c.lifetime_net_sales) as net_sales,
        count(*) filter (where c.order_count > 1) as repeat_buyers
    from marts.fct_segment_memberships as m
    left join marts.dim_customers as c using (customer_id)
    where m.segment = $segment and m.is_current
)
select s.segment, s.label, s.description, s.channel, s.channels, s.purpose, s.destinations,
    s.message_kind, s.priority, s.holdout_share, s.cooldown_days,
    members.people, members.net_sales, members.repeat_buyers
from marts.dim_segments as s
cross join members
where s.segment = $segment
