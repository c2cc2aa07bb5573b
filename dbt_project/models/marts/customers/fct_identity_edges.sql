select
    identifier_a_type,
    identifier_a_value,
    identifier_b_type,
    identifier_b_value,
    source_system,
    source_record_id,
    rule,
    evidence_grade,
    status,
    refusal_reason,
    observed_at
from {{ ref('int_identity_edges') }}
