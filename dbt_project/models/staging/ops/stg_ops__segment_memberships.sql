select
    segment,
    customer_id,
    entered_at,
    exited_at
from {{ source('ops', 'segment_memberships') }}
