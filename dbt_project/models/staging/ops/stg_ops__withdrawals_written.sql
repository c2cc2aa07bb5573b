select
    destination,
    channel,
    refusal_id,
    reason,
    refused_at,
    state,
    answer,
    attempts,
    first_tried_at,
    last_tried_at,
    done_at
from {{ source('ops', 'withdrawals_written') }}
