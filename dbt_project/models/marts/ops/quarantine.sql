select
    source,
    table_name,
    reason,
    row_count
from {{ ref('stg_ops__quarantine') }}
