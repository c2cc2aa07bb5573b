select
    metric,
    kind,
    value
from {{ ref('int_identity_metrics') }}
