-- What five points more of retention would bring in profit, in a year and in a person's lifetime,
-- or why nothing is said.
select as_of_date, added_rate, base_count, kept_count, retention_rate, added_people,
    added_net_sales, added_margin, added_margin_share, lifetime_margin, raised_lifetime_margin,
    lifetime_growth_rate, null_reason
from marts.rpt_retention_what_if
order by as_of_date desc
limit 1
