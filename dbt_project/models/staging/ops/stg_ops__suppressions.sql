select
    suppression_id,
    identifier_type,
    identifier_value,
    channel,
    purpose,
    reason,
    occurred_at,
    source
from {{ source('ops', 'suppressions') }}
