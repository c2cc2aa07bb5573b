select
    run_id,
    as_of,
    code_version,
    status,
    rows_received,
    rows_loaded,
    rows_quarantined,
    rows_duplicate,
    started_at,
    finished_at
from {{ source('ops', 'runs') }}
