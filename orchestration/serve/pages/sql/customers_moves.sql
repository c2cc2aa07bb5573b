-- Who moved from one RFM group to another between the last two dates that lie a week or more apart
-- (month ends, and the day of the build), the most people first. Prospects had no kept order then.
select from_date, to_date, from_segment, to_segment, customer_count, monetary as net_sales
from marts.rpt_rfm_transitions
where from_segment <> to_segment
    and to_date = (
        select max(to_date) from marts.rpt_rfm_transitions where to_date - from_date >= 7
    )
order by customer_count desc, from_segment, to_segment
