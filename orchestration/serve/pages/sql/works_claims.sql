-- Campaigns of the last 365 days whose sender would claim an order by its own rule (the last message
-- opened or clicked, however little it had to do with the order), beside what $model gives them.
with claims as (
    select marketing_channel, campaign, sum(claimed_orders)::bigint as claimed_orders,
        sum(claimed_value) as claimed_value
    from marts.rpt_sender_claims
    where report_date > $until::date - 365
    group by marketing_channel, campaign
),
credits as (
    select marketing_channel, campaign, sum(attributed_net_sales) as net_sales,
        sum(attributed_clv) as lifetime_value
    from marts.rpt_attribution
    where report_date > $until::date - 365 and model = $model
    group by marketing_channel, campaign
)
select marketing_channel, campaign, c.claimed_orders, c.claimed_value, credits.net_sales,
    credits.lifetime_value
from claims as c
left join credits using (marketing_channel, campaign)
order by c.claimed_value desc nulls last, marketing_channel, campaign nulls last
limit 25
