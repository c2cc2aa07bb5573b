select
    consent_event_id,
    identifier_type,
    identifier_value,
    channel,
    purpose,
    status,
    occurred_at,
    source,
    wording_version,
    expires_at,
    proof,
    lawful_basis,
    level,
    recorded_at
from {{ source('ops', 'consent_events') }}
