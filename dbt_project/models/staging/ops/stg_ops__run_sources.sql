select
    run_id,
    source,
    table_name,
    rows_received,
    rows_loaded,
    rows_quarantined,
    rows_duplicate,
    values_emptied
from {{ source('ops', 'run_sources') }}
