-- Net sales that each model gives each channel in the last 30 and the last 365 days, what the
-- channel cost, what its sender claims, and the lifetime value credited for the first orders of the
-- year: net sales of their people up to the build and those expected of the next 365 days. Each
-- model's rows add up to the net sales of the days' kept orders. Those without a rate are left out
-- and counted; a sum of nothing else is NULL. $until is the shop's last day of the build.
with days as (
    select *, report_date > $until::date - 30 as is_late,
        orders <> 0 and attributed_net_sales is null as is_unknown,
        orders <> 0 and attributed_net_sales is not null as is_known
from marts.rpt_attribution
    where report_date > $until::date - 365 and report_date <= $until::date
)
select model, marketing_channel,
    case when bool_or(is_late and is_known) or not bool_or(is_late and is_unknown)
        then coalesce(sum(attributed_net_sales) filter (where is_late), 0) end as net_sales_30d,
    sum(cost) filter (where is_late) as cost_30d,
    case when bool_or(is_known) or not bool_or(is_unknown)
        then coalesce(sum(attributed_net_sales), 0) end as net_sales_365d,
    coalesce(sum(orders) filter (where is_unknown), 0) as orders_left_out,
    sum(cost) as cost_365d,
    sum(claimed_value) as claimed_365d,
    sum(attributed_clv) as lifetime_value,
    case when bool_or(is_known) or not bool_or(is_unknown)
        then (coalesce(sum(attributed_net_sales), 0) / nullif(sum(cost), 0))::double end as roas
from days
group by model, marketing_channel
order by model, net_sales_365d desc nulls last, marketing_channel
