select
    identifier_type,
    identifier_value,
    moved_at,
    from_customer_id,
    to_customer_id,
    move_type,
    reason,
    rule,
    source_system,
    source_record_id,
    evidence_grade,
    effective_at,
    registered_at
from {{ ref('int_identity_moves_next') }}
