with feedback as (
    select *
    from {{ ref('stg_feedback__feedback') }}
),

customers as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
),

interactions as (
    select *
    from {{ ref('int_web_interactions') }}
    where event_name in ('Product Reviewed', 'Product Shared')
)

select
    feedback.feedback_key,
    customers.customer_id,
    feedback.kind,
    {{ money('feedback.score') }} as score,
    feedback.product_id,
    feedback.question,
    feedback.answer,
    feedback.occurred_at,
    feedback.closed_at,
    'feedback' as source
from feedback
left join customers
    on
        feedback.identifier_type = customers.identifier_type
        and feedback.identifier_value = customers.raw_value
union all
select
    {{ hash_key(['event_id', 'session_id']) }} as feedback_key,
    customer_id,
    case event_name when 'Product Reviewed' then 'review' else 'share' end as kind,
    null as score,
    product_id,
    null as question,
    null as answer,
    occurred_at,
    cast(null as timestamp) as closed_at,
    'web' as source
from interactions
