select
    source,
    table_name,
    reason,
    row_count
from {{ source('ops', 'quarantine') }}
