-- Where people are on their way, apart by what brought them; the biggest sources first.
select source, from_stage, to_stage, customer_count, share, skipped_stage_count,
    silent_count::bigint as silent_count, median_days
from marts.rpt_journey_sources
order by sum(customer_count) filter (where from_stage is null) over (partition by source) desc,
    source,
    list_position(
        ['awareness', 'consideration', 'acquisition', 'purchase', 'advocacy'], from_stage
    ) nulls first,
    customer_count desc, to_stage nulls last
