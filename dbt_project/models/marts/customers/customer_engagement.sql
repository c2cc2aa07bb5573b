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
        count(*) filter (where kind = 'complaint') as complaint_count,
        count(*) filter (where kind = 'support') as support_count,
        max(occurred_at) filter (where kind = 'complaint') as last_complaint_at,
        max(occurred_at) filter (where kind = 'support') as last_support_at,
        max(occurred_at) filter (where kind = 'preference') as last_preference_at
    from {{ ref('int_feedback_resolved') }}
    where customer_id is not null
    group by customer_id
),

-- What somebody waits for an answer to
cases as (
    select
        customer_id,
        kind,
        product_id,
        occurred_at,
        row_number() over (partition by customer_id order by occurred_at desc, feedback_key) as place_from_last,
        count(*) over (partition by customer_id) as open_case_count
    from {{ ref('int_feedback_resolved') }}
    where
        customer_id is not null
        and (kind in ('complaint', 'support') or (kind = 'review' and score <= {{ var('bad_review_score') }}))
        and (closed_at is null or closed_at > {{ as_of() }})
),

scores as (
    select
        customer_id,
        score as last_nps_score
    from {{ ref('int_feedback_resolved') }}
    where customer_id is not null and kind = 'nps' and score is not null
    qualify row_number() over (partition by customer_id order by occurred_at desc, feedback_key) = 1
),

moments as (
    select
        customer_id,
        min(occurred_at) filter (where direction = 'inbound') as first_touch_at,
        min(occurred_at) filter (where kind = 'product_viewed') as first_viewed_at,
        max(occurred_at) filter (where kind = 'product_viewed') as last_viewed_at,
        max(occurred_at) filter (where kind = 'product_added') as last_added_at
    from {{ ref('fct_interactions') }}
    group by customer_id
),

-- What stands at those moments; of several things at one moment, the first by name
touches as (
    select
        moments.customer_id,
        min(interactions.kind) filter (
            where interactions.direction = 'inbound' and interactions.occurred_at = moments.first_touch_at
        ) as first_touch_kind,
        min(interactions.channel) filter (
            where interactions.direction = 'inbound' and interactions.occurred_at = moments.first_touch_at
        ) as first_touch_channel,
        {%- for product, kind in {
            'first_viewed': 'product_viewed', 'last_viewed': 'product_viewed', 'last_added': 'product_added',
        }.items() %}
        min(interactions.product_id) filter (
            where interactions.kind = '{{ kind }}' and interactions.occurred_at = moments.{{ product }}_at
        ) as {{ product }}_product_id{{ ',' if not loop.last }}
        {%- endfor %}
    from moments
    inner join {{ ref('fct_interactions') }} as interactions
        on
            moments.customer_id = interactions.customer_id
            and interactions.occurred_at in (
                moments.first_touch_at, moments.first_viewed_at, moments.last_viewed_at, moments.last_added_at
            )
    group by moments.customer_id
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
        coalesce(answers.support_count, 0) as support_count,
        answers.last_complaint_at,
        answers.last_support_at,
        answers.last_preference_at,
        coalesce(cases.open_case_count, 0) as open_case_count,
        cases.kind as last_open_case_kind,
        cases.product_id as last_open_case_product_id,
        cases.occurred_at as last_open_case_at,
        scores.last_nps_score,
        touches.first_touch_channel,
        touches.first_touch_kind,
        touches.first_viewed_product_id,
        touches.last_viewed_product_id,
        touches.last_added_product_id,
        moments.first_touch_at,
        moments.first_viewed_at,
        moments.last_viewed_at,
        moments.last_added_at,
        visits.last_visit_at,
        visits.last_cart_at,
        messages.last_opened_at,
        messages.last_clicked_at
    from {{ ref('int_customers') }} as customers
    left join visits on customers.customer_id = visits.customer_id
    left join messages on customers.customer_id = messages.customer_id
    left join answers on customers.customer_id = answers.customer_id
    left join cases on customers.customer_id = cases.customer_id and cases.place_from_last = 1
    left join scores on customers.customer_id = scores.customer_id
    left join moments on customers.customer_id = moments.customer_id
    left join touches on customers.customer_id = touches.customer_id
)

select * from final
