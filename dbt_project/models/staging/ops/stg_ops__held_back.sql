select
    sync_run_id,
    segment,
    destination,
    customer_id,
    channel,
    purpose,
    reason,
    held_back_at
from {{ source('ops', 'held_back') }}
