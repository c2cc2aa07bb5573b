select
    _row_id as feedback_key,
    lower(trim(identifier_type)) as identifier_type,
    nullif(trim(identifier_value), '') as identifier_value,
    lower(trim(kind)) as kind,
    score,
    product_id,
    text_key,
    occurred_at
from {{ source('raw_feedback', 'feedback') }}
where occurred_at <= {{ as_of() }}
