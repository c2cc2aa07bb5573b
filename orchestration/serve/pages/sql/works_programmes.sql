-- What each programme brought and cost in the last twelve whole months by one model, in the order of
-- the lifetime value of the buyers it won, expected value with the ends of its interval; the return is
-- the margin less cost, by cost and discounts, of programmes of which all three are known.
select programme, sum(orders)::double as orders, sum(attributed_net_sales) as net_sales,
    sum(attributed_discounts) as discounts, sum(cost) as cost, sum(attributed_clv) as lifetime_value,
    sum(predicted_clv_365d) as predicted_clv_365d, sum(predicted_clv_low) as predicted_clv_low,
    sum(predicted_clv_high) as predicted_clv_high,
    coalesce(min(clv_null_reason) filter (where clv_null_reason <> 'no_first_order'),
        'no_first_order') as clv_null_reason,
    case when count(*) = count(attributed_margin) then sum(attributed_margin) end as margin,
    case when count(*) = count(attributed_margin) and sum(cost) + sum(attributed_discounts) > 0
        then (sum(attributed_margin) - sum(cost))::double
            / (sum(cost) + sum(attributed_discounts))::double end as return_on_investment
from marts.rpt_programmes
where model = $model and programme is not null
    and report_month < date_trunc('month', $until::date + interval 1 day)
    and report_month >= date_trunc('month', $until::date + interval 1 day) - interval 12 month
group by programme
order by lifetime_value desc nulls last, net_sales desc, programme
