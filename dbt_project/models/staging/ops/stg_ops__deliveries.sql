select
    delivery_id,
    sync_run_id,
    segment,
    destination,
    customer_id,
    operation,
    channel,
    purpose,
    consent_receipt_id,
    content_hash,
    delivered_at,
    outcome
from {{ source('ops', 'deliveries') }}
