-- How much there is of each source, and how new the newest is.
select source, what, row_count, row_count_1d, row_count_7d, hours_since_last_event
from ops.source_freshness
order by source, what
