with rfm as (
    select * from {{ ref('fct_customer_rfm') }}
    where is_current
),

visits as (
    select
        customer_id,
        count(*) as visit_count,
        count(*) filter (
            where last_cart_at > {{ before_as_of(var('engagement_days'), 'day') }}
        ) as cart_visit_count
    from {{ ref('fct_web_sessions') }}
    where
        customer_visit_number is not null
        and ended_at > {{ before_as_of(var('engagement_days'), 'day') }}
    group by customer_id
),

messages as (
    select
        customer_id,
        count(*) filter (where clicked_at > {{ before_as_of(var('engagement_days'), 'day') }}) as click_count,
        count(*) filter (where opened_at > {{ before_as_of(var('engagement_days'), 'day') }}) as open_count
    from {{ ref('fct_messages') }}
    where customer_id is not null
    group by customer_id
),

counted as (
    select
        rfm.customer_id,
        rfm.as_of_date,
        rfm.rfm_segment,
        own_groups.acts_as,
        rfm.monetary,
        rfm.currency,
        coalesce(visits.visit_count, 0) as visit_count,
        coalesce(visits.cart_visit_count, 0) as cart_visit_count,
        coalesce(messages.click_count, 0) as click_count,
        coalesce(messages.open_count, 0) as open_count
    from rfm
    left join visits on rfm.customer_id = visits.customer_id
    left join messages on rfm.customer_id = messages.customer_id
    left join {{ ref('rfm_groups') }} as own_groups on rfm.rfm_segment = own_groups.rfm_segment
),

-- An open decides nothing: programs open what nobody read.
levelled as (
    select
        *,
        case
            when cart_visit_count > 0 then 'carted'
            when visit_count + click_count > 0 then 'visited'
            else 'quiet'
        end as engagement
    from counted
),

final as (
    select
        customer_id,
        as_of_date,
        rfm_segment,
        engagement,
        {{ engagement_opportunity('acts_as', 'engagement') }} as opportunity,
        monetary,
        visit_count,
        cart_visit_count,
        click_count,
        open_count,
        currency
    from levelled
)

select * from final
