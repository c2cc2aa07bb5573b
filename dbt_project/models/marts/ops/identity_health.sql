select
    identifier_type,
    coalesce(evidence_grade, 'none') as evidence_grade,
    count(*) as identifier_count,
    count(*) filter (where customer_id is not null) as linked_count,
    count(*) filter (where is_shared) as shared_count,
    count(*) filter (where is_blocked) as blocked_count,
    count(distinct customer_id) as customer_count,
    max(last_seen_at) as last_seen_at
from {{ ref('int_customer_identifiers') }}
group by identifier_type, coalesce(evidence_grade, 'none')
