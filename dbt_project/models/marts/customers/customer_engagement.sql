with visits as (
    select
        customer_id,
        count(*) as visit_count,
        sum(product_view_count) as product_view_count,
        max(case when customer_visit_number = 1 then marketing_channel end) as first_marketing_channel,
        max_by(marketing_channel, customer_visit_number) as last_marketing_channel,
        max(ended_at) as last_visit_at,
        max(last_cart_at) as last_cart_at
    from {{ ref('fct_web_sessions') }}
    where customer_visit_number is not null
    group by customer_id
),

messages as (
    select
        customer_id,
        count(*) as message_count,
        count(opened_at) as opened_count,
        count(clicked_at) as clicked_count,
        max(opened_at) as last_opened_at,
        max(clicked_at) as last_clicked_at
    from {{ ref('fct_messages') }}
    where customer_id is not null
    group by customer_id
),

answers as (
    select
        customer_id,
        count(*) filter (where kind = 'review') as review_count,
        count(*) filter (where kind = 'referral') as referral_count,
        count(*) filter (where kind = 'complaint') as complaint_count
    from {{ ref('int_feedback_resolved') }}
    where customer_id is not null
    group by customer_id
),

scores as (
    select
        customer_id,
        score as last_nps_score
    from {{ ref('int_feedback_resolved') }}
    where customer_id is not null and kind = 'nps' and score is not null
    qualify row_number() over (partition by customer_id order by occurred_at desc, feedback_key) = 1
),

final as (
    select
        customers.customer_id,
        visits.first_marketing_channel,
        visits.last_marketing_channel,
        coalesce(visits.visit_count, 0) as visit_count,
        cast(coalesce(visits.product_view_count, 0) as bigint) as product_view_count,
        coalesce(messages.message_count, 0) as message_count,
        coalesce(messages.opened_count, 0) as opened_count,
        coalesce(messages.clicked_count, 0) as clicked_count,
        coalesce(answers.review_count, 0) as review_count,
        coalesce(answers.referral_count, 0) as referral_count,
        coalesce(answers.complaint_count, 0) as complaint_count,
        scores.last_nps_score,
        visits.last_visit_at,
        visits.last_cart_at,
        messages.last_opened_at,
        messages.last_clicked_at
    from {{ ref('int_customers') }} as customers
    left join visits on customers.customer_id = visits.customer_id
    left join messages on customers.customer_id = messages.customer_id
    left join answers on customers.customer_id = answers.customer_id
    left join scores on customers.customer_id = scores.customer_id
)

select * from final
