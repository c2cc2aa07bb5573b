-- What all buyers of a date together were expected to bring in the 365 days after it, the newest
-- first, and who moved it since the date before; the five parts add up to the change.
select as_of_date, from_date, is_current, buyer_count, equity_value, change_value,
    new_count, new_value, kept_count, kept_value, won_back_count, won_back_value,
    lost_count, lost_value, waiting_count, waiting_value, null_reason
from marts.rpt_customer_equity
order by as_of_date desc
