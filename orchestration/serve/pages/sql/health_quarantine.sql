-- Rows that are in quarantine, by source, table and reason.
select source, table_name, reason, row_count
from ops.quarantine
order by row_count desc, source, table_name, reason
