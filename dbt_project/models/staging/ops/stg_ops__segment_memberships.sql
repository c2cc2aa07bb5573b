select
    segment,
    customer_id,
    entered_at,
    exited_at,
    left_at,
    programme,
    entry_reason,
    exit_reason,
    goal
from {{ source('ops', 'segment_memberships') }}
