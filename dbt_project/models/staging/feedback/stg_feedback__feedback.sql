with latest as (
    {{ latest_versions(
        source('raw_feedback', 'feedback'),
        ['identifier_type', 'identifier_value', 'kind', 'product_id', 'question', 'occurred_at'],
        where='occurred_at <= ' ~ as_of()
    ) | indent(4) }}
)

select
    _row_id as feedback_key,
    lower(trim(identifier_type)) as identifier_type,
    nullif(trim(identifier_value), '') as identifier_value,
    lower(trim(kind)) as kind,
    score,
    product_id,
    nullif(trim(question), '') as question,
    nullif(trim(answer), '') as answer,
    text_key,
    occurred_at,
    closed_at
from latest
