-- Where people are on their way: from each stage on to which other one, and who is still there.
-- Without a stage before they began there; without a stage after they are there now.
select from_stage, to_stage, customer_count, share, skipped_stage_count,
    silent_count::bigint as silent_count, median_days
from marts.rpt_journey_flow
order by list_position(
        ['awareness', 'consideration', 'acquisition', 'purchase', 'advocacy'], from_stage
    ) nulls first,
    customer_count desc, to_stage nulls last
