-- Who came for the first time by each channel in the last twelve months, and who was kept by it:
-- what each cost, what the new ones brought to date, and after how many months they had paid back.
-- The whole cost of the channel stands against each of the two.
with months as (
    select *,
        acquired_month
            = date_trunc('month', $until::date + interval 1 day) - interval 1 month as is_last
    from marts.rpt_acquisition
    where acquired_month < date_trunc('month', $until::date + interval 1 day)
        and acquired_month >= date_trunc('month', $until::date + interval 1 day) - interval 12 month
)
select marketing_channel,
    coalesce(sum(new_customer_count) filter (where is_last), 0)::bigint as new_1m,
    sum(new_customer_count)::bigint as new_12m,
    coalesce(sum(kept_customer_count) filter (where is_last), 0)::bigint as kept_1m,
    sum(kept_customer_count)::bigint as kept_12m, sum(cost) as cost,
    (sum(cost) / nullif(sum(new_customer_count), 0))::double as new_customer_cost,
    (sum(cost) / nullif(sum(kept_customer_count), 0))::double as kept_customer_cost,
    sum(net_sales) as net_sales,
    case when count(*) filter (where new_customer_count > 0 and margin is null) = 0
        then sum(margin) end as margin,
    count(cost) filter (where new_customer_count > 0) as months_with_cost,
    count(payback_months) filter (where new_customer_count > 0) as months_paid_back,
    quantile_disc(payback_months, 0.5) filter (where new_customer_count > 0) as payback_months
from months
group by marketing_channel
order by new_12m desc, kept_12m desc, marketing_channel
