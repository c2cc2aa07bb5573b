-- What the people of each campaign bought in equal windows before and after its launch, against the
-- trend of everybody else; the newest first. No proof of cause.
select channel, campaign_id, coalesce(campaign_name, campaign_id) as campaign, launched_on,
    window_days, is_complete, people_count, orders_before, orders_after, net_sales_before,
    net_sales_after, others_trend, change_beyond_trend, null_reason
from marts.rpt_campaign_launches
order by launched_on desc, channel, campaign_id
limit 24
