select
    run_id,
    source,
    table_name,
    rows_received,
    rows_loaded,
    rows_quarantined,
    rows_duplicate,
    values_emptied,
    rows_received - rows_loaded - rows_quarantined - rows_duplicate as rows_missing
from {{ ref('stg_ops__run_sources') }}
