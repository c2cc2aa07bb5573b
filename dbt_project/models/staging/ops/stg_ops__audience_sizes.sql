select
    destination,
    segment,
    asked_at,
    held_count,
    ledger_count,
    missing_count,
    surplus_count,
    matched_percent
from {{ source('ops', 'audience_sizes') }}
