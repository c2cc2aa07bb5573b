{#- Everything of a person in one row but the segments they are in, so that what segments ask may rest on it. -#}
with customers as (
    select * from {{ ref('dim_customers') }}
),

contacts as (
    select * from {{ ref('customer_contact_details') }}
),

stages as (
    select * from {{ ref('fct_customer_journey_stages') }}
    where is_current
),

sales as (
    select * from {{ ref('fct_customer_order_summary') }}
),

rfm as (
    select * from {{ ref('fct_customer_rfm') }}
    where is_current
),

clv as (
    select * from {{ ref('fct_customer_clv') }}
    where is_current
),

predictions as (
    select * from {{ ref('fct_customer_predictions') }}
    where is_current
),

intent as (
    select * from {{ ref('fct_customer_intent') }}
    where is_current
),

reach as (
    select * from {{ ref('customer_channel_preferences') }}
    where rank = 1
),

steps as (
    select * from {{ ref('fct_recommendations') }}
    where rank = 1
),

-- What somebody needs again goes first, then what their whole past says, then what goes with one purchase or visit
first_steps as (
    select *
    from steps
    qualify row_number() over (
        partition by customer_id
        order by
            case kind when 'replenish' then 1 when 'next' then 2 when 'cross_sell' then 3 when 'bundle' then 4 else 5 end,
            kind
    ) = 1
),

steps_by_kind as (
    select
        customer_id,
        max(case when kind = 'next' then product_id end) as next_product_id,
        max(case when kind = 'cross_sell' then product_id end) as cross_sell_product_id,
        max(case when kind = 'up_sell' then product_id end) as up_sell_product_id,
        max(case when kind = 'bundle' then product_id end) as bundle_product_id,
        max(case when kind = 'replenish' then product_id end) as replenish_product_id
    from steps
    group by customer_id
),

replenishments as (
    select * from {{ ref('fct_replenishments') }}
),

favourites as (
    select * from {{ ref('customer_favourites') }}
),

behaviour as (
    select * from {{ ref('customer_engagement') }}
),

permission as (
    select
        customer_id,
        bool_or(channel = 'email' and purpose = 'marketing' and is_contactable) as is_email_contactable,
        bool_or(channel = 'sms' and purpose = 'marketing' and is_contactable) as is_sms_contactable,
        bool_or(channel = 'push' and purpose = 'marketing' and is_contactable) as is_push_contactable,
        bool_or(channel = 'ads' and purpose = 'ads' and is_contactable) as is_ads_contactable,
        bool_or(channel = 'onsite' and purpose = 'personalisation' and is_contactable)
            as is_onsite_contactable
    from {{ ref('contactability') }}
    where is_contactable
    group by customer_id
),

-- An unsubscribe ends its channel; a no to selling or sharing data is one on every channel
sale as (
    select
        customer_id,
        bool_and(reason in (
            'gpc', 'denied', 'revoked', 'unsubscribed', 'spam_report', 'manual', 'unknown_opt_out'
        )) as is_sale_refused
    from {{ ref('contactability') }}
    where purpose = 'sell_share'
    group by customer_id
),

personalisation as (
    select * from {{ ref('customer_personalisation') }}
),

interests as (
    select
        customer_id,
        max(case when interest_kind = 'category' then interest end) as interest_category,
        max(case when interest_kind = 'brand' then interest end) as interest_brand,
        max(case when interest_kind = 'price_band' then interest end) as interest_price_band,
        max(case when interest_kind = 'topic' then interest end) as interest_topic
    from {{ ref('customer_interests') }}
    where interest_rank = 1
    group by customer_id
),

preferences as (
    select * from {{ ref('customer_preferences') }}
),

final as (
    select
        customers.customer_id,
        customers.customer_type,
        customers.is_known,
        customers.first_name,
        customers.last_name,
        customers.email,
        customers.email_evidence_grade,
        customers.phone,
        customers.country_code,
        contacts.postcode,
        contacts.timezone,
        contacts.birthday,
        contacts.gender,
        contacts.job,
        contacts.loyalty_id,
        contacts.loyalty_tier,
        stages.stage,
        stages.entry_reason as stage_reason,
        case
            when customers.order_count = 0 then 'prospects'
            else rfm.rfm_segment
        end as rfm_segment,
        rfm.rfm_score,
        coalesce(permission.is_email_contactable, false) as is_email_contactable,
        coalesce(permission.is_sms_contactable, false) as is_sms_contactable,
        coalesce(permission.is_push_contactable, false) as is_push_contactable,
        coalesce(permission.is_ads_contactable, false) as is_ads_contactable,
        coalesce(permission.is_onsite_contactable, false) as is_onsite_contactable,
        coalesce(sale.is_sale_refused, false) as is_sale_refused,
        coalesce(personalisation.level, 'none') as personalisation_level,
        interests.interest_category,
        interests.interest_brand,
        interests.interest_price_band,
        interests.interest_topic,
        preferences.preferred_channel,
        reach.channel as reach_channel,
        reach.basis as reach_basis,
        reach.best_hour as reach_hour,
        reach.best_weekday as reach_weekday,
        preferences.size,
        preferences.size_evidence_kind,
        preferences.fit,
        preferences.fit_evidence_kind,
        preferences.colour,
        preferences.colour_evidence_kind,
        preferences.shopping_hour,
        preferences.shopping_weekday,
        preferences.shopping_city,
        favourites.favourite_product_id,
        favourites.favourite_product_name,
        favourites.favourite_category,
        favourites.favourite_brand,
        behaviour.first_marketing_channel,
        behaviour.last_marketing_channel,
        coalesce(behaviour.visit_count, 0) as visit_count,
        coalesce(behaviour.product_view_count, 0) as product_view_count,
        coalesce(behaviour.message_count, 0) as message_count,
        coalesce(behaviour.opened_count, 0) as opened_count,
        coalesce(behaviour.clicked_count, 0) as clicked_count,
        coalesce(behaviour.review_count, 0) as review_count,
        coalesce(behaviour.referral_count, 0) as referral_count,
        coalesce(behaviour.complaint_count, 0) as complaint_count,
        coalesce(behaviour.support_count, 0) as support_count,
        behaviour.last_complaint_at,
        behaviour.last_support_at,
        behaviour.last_preference_at,
        behaviour.last_nps_score,
        customers.identifier_count,
        customers.order_count,
        coalesce(sales.returned_order_count, 0) as returned_order_count,
        sales.lifetime_gross_sales,
        sales.lifetime_returns,
        customers.lifetime_net_sales,
        customers.lifetime_net_sales_issue,
        sales.lifetime_margin,
        sales.lifetime_margin_issue,
        sales.margin_rank,
        case
            when customers.order_count > 0
                then cast(customers.lifetime_net_sales / customers.order_count as decimal(18, 4))
        end as average_order_value,
        clv.historic_clv,
        clv.predicted_clv_365d,
        clv.predicted_clv_low,
        clv.predicted_clv_high,
        clv.probability_alive,
        clv.expected_orders_365d,
        clv.null_reason as predicted_clv_null_reason,
        predictions.churn_risk,
        predictions.low as churn_risk_low,
        predictions.high as churn_risk_high,
        predictions.null_reason as churn_risk_null_reason,
        predictions.next_category,
        predictions.next_category_null_reason,
        intent.intent,
        intent.reason as intent_reason,
        case when intent.customer_id is null then 'no_signal' else intent.null_reason end as intent_null_reason,
        intent.next_stage,
        intent.next_stage_28d,
        first_steps.kind as next_step,
        first_steps.product_id as next_step_product_id,
        first_steps.reason as next_step_reason,
        first_steps.method as next_step_method,
        first_steps.proof as next_step_proof,
        steps_by_kind.next_product_id,
        steps_by_kind.cross_sell_product_id,
        steps_by_kind.up_sell_product_id,
        steps_by_kind.bundle_product_id,
        steps_by_kind.replenish_product_id,
        customers.currency,
        sales.days_since_last_order,
        sales.usual_gap_days,
        sales.days_since_last_order > sales.overdue_after_days as is_overdue,
        stages.entered_at as stage_entered_at,
        customers.first_seen_at,
        customers.last_seen_at,
        customers.first_ordered_at,
        customers.last_ordered_at,
        clv.predicted_next_order_at,
        replenishments.due_at as replenish_due_at,
        behaviour.first_touch_channel,
        behaviour.first_touch_kind,
        behaviour.first_viewed_product_id,
        behaviour.last_viewed_product_id,
        behaviour.last_added_product_id,
        behaviour.first_touch_at,
        behaviour.first_viewed_at,
        behaviour.last_viewed_at,
        behaviour.last_added_at,
        behaviour.last_visit_at,
        behaviour.last_cart_at,
        behaviour.last_opened_at,
        behaviour.last_clicked_at
    from customers
    left join contacts on customers.customer_id = contacts.customer_id
    left join stages on customers.customer_id = stages.customer_id
    left join sales on customers.customer_id = sales.customer_id
    left join rfm on customers.customer_id = rfm.customer_id
    left join clv on customers.customer_id = clv.customer_id
    left join predictions on customers.customer_id = predictions.customer_id
    left join intent on customers.customer_id = intent.customer_id
    left join reach on customers.customer_id = reach.customer_id
    left join first_steps on customers.customer_id = first_steps.customer_id
    left join steps_by_kind on customers.customer_id = steps_by_kind.customer_id
    left join replenishments
        on
            customers.customer_id = replenishments.customer_id
            and steps_by_kind.replenish_product_id = replenishments.product_id
    left join favourites on customers.customer_id = favourites.customer_id
    left join behaviour on customers.customer_id = behaviour.customer_id
    left join permission on customers.customer_id = permission.customer_id
    left join sale on customers.customer_id = sale.customer_id
    left join personalisation on customers.customer_id = personalisation.customer_id
    left join preferences on customers.customer_id = preferences.customer_id
    left join interests on customers.customer_id = interests.customer_id
)

select * from final
