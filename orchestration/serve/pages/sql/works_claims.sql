-- Campaigns of the last 365 days whose sender would claim an order by its own rule (the last message
-- opened or clicked, however little it had to do with the order), beside what $model gives them.
with claims as (
    select marketing_channel, campaign, sum(claimed_orders)::bigint as claimed_orders,
        sum(claimed_value) as claimed_value,
        max(report_date) filter (where claimed_orders <> 0) as last_claimed_on
    from marts.rpt_sender_claims
    where report_date > $until::date - 365
    group by marketing_channel, campaign
),
credits as (
    select marketing_channel, campaign,
        case when bool_or(orders <> 0 and attributed_net_sales is not null)
                or not bool_or(orders <> 0 and attributed_net_sales is null)
            then coalesce(sum(attributed_net_sales), 0) end as net_sales,
        sum(attributed_clv) as lifetime_value
    from marts.rpt_attribution
    where report_date > $until::date - 365 and model = $model
    group by marketing_channel, campaign
)
select c.marketing_channel, c.campaign, c.claimed_orders, c.claimed_value, c.last_claimed_on,
    case when credits.marketing_channel is null then 0 else credits.net_sales end as net_sales,
    credits.lifetime_value
from claims as c
left join credits
    on credits.marketing_channel = c.marketing_channel
    and credits.campaign is not distinct from c.campaign
order by c.claimed_value desc nulls last, c.marketing_channel, c.campaign nulls last
limit 25
