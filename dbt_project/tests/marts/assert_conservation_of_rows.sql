-- received = loaded + quarantined + duplicate, for the current run, per source and table and in sum.
select
    run_id,
    source,
    table_name
from {{ ref('run_sources') }}
where rows_missing <> 0 and run_id = {{ run_id() }}
union all
select
    run_id,
    'all' as source,
    'all' as table_name
from {{ ref('runs') }}
where is_current and rows_received <> rows_loaded + rows_quarantined + rows_duplicate
