-- The conditions of the segment's file, in their order: whom each keeps of those that the ones
-- before it kept, and whom it keeps alone.
select condition_rank, words, is_wanted, people_count, kept_alone_count, kept_in_order_count,
    dropped_in_order_count
from marts.rpt_segment_funnel
where segment = $segment
order by step_rank, condition_rank
