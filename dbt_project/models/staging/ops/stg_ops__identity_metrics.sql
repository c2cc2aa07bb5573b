select
    run_id,
    metric,
    kind,
    as_of,
    value
from {{ source('ops', 'identity_metrics') }}
