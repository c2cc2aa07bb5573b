{#- What people answer to questions, from the site's quizzes and from files: the question is the trait's name. -#}
with quizzes as (
    select
        event_id,
        customer_id,
        occurred_at,
        {{ json_entries('answers') }}
    from {{ ref('int_web_interactions') }}
    where event_name = 'Quiz Completed' and answers is not null and customer_id is not null
),

answers as (
    select
        customer_id,
        name as question,
        value as answer,
        'web:quiz' as source,
        occurred_at as stated_at,
        event_id as record_order
    from quizzes
    union all
    select
        customer_id,
        question,
        answer,
        concat_ws(':', 'feedback', kind) as source,
        occurred_at as stated_at,
        feedback_key as record_order
    from {{ ref('int_feedback_resolved') }}
    where
        kind in ('quiz', 'survey', 'preference')
        and customer_id is not null
        and question is not null
        and answer is not null
),

named as (
    select
        *,
        {{ trait_name('question') }} as trait,
        {{ words_of_a_person('answer', 'text') }} as value
    from answers
)

select
    customer_id,
    trait,
    value,
    source,
    stated_at,
    record_order
from named
where value is not null and {{ is_trait_name('trait') }}
