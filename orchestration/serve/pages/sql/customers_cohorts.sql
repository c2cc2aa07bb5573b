-- People by the month of their first order, the newest first: who bought again in a later month
-- (only months that are over), who had bought twice by now, what they brought to date, and their
-- months 24 to 29 as a multiple of their first six, or why not.
with cohorts as (
    select cohort_month, any_value(customer_count) as people,
        max(retention_rate) filter (where age_months = 1 and is_complete) as after_1,
        max(retention_rate) filter (where age_months = 3 and is_complete) as after_3,
        max(retention_rate) filter (where age_months = 6 and is_complete) as after_6,
        max(retention_rate) filter (where age_months = 12 and is_complete) as after_12,
        arg_max(repeat_rate, age_months) as bought_twice,
        arg_max(struct_pack(net_sales := cumulative_net_sales), age_months).net_sales as net_sales
    from marts.rpt_cohorts
    group by cohort_month
)
select c.cohort_month, c.people, c.after_1, c.after_3, c.after_6, c.after_12, c.bought_twice,
    c.net_sales, (c.net_sales / c.people)::decimal(18, 4) as net_sales_each, s.growth_rate,
    s.null_reason
from cohorts as c
left join marts.rpt_cohort_spend as s using (cohort_month)
order by c.cohort_month desc
