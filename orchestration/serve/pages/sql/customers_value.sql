-- Buyers of each tier of value now: what they brought to date, what is expected of them in the next
-- 365 days and what stays of it after the goods, and why where it is not said. A sum of what is
-- expected is of the people it is said of; the two together are their lifetime value until then.
select coalesce(p.clv_tier, 'unknown') as clv_tier, count(*) as people,
    case when count(*) = count(c.historic_clv) then sum(c.historic_clv) end as to_date,
    avg(c.historic_clv)::decimal(18, 4) as to_date_each,
    count(c.predicted_clv_365d) as expected_people,
    sum(c.predicted_clv_365d) as expected,
    avg(c.predicted_clv_365d)::decimal(18, 4) as expected_each,
    avg(c.historic_clv + c.predicted_clv_365d)::decimal(18, 4) as lifetime_each,
    sum(c.margin_365d) as margin,
    avg(c.probability_alive) as alive,
    mode(c.null_reason order by c.null_reason) as null_reason,
    mode(c.margin_null_reason order by c.margin_null_reason) as margin_null_reason
from marts.fct_customer_clv as c
left join marts.fct_customer_predictions as p
    on p.customer_id = c.customer_id and p.as_of_date = c.as_of_date
where c.is_current
group by coalesce(p.clv_tier, 'unknown')
order by list_position(['top', 'high', 'middle', 'low', 'unknown'], coalesce(p.clv_tier, 'unknown'))
