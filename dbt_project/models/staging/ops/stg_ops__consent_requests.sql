select
    consent_request_id,
    identifier_type,
    identifier_value,
    channel,
    purpose,
    occurred_at,
    source,
    wording_version
from {{ source('ops', 'consent_requests') }}
