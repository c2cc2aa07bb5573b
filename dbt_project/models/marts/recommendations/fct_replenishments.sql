{#-
    When somebody will need a thing again. Of products that stand in for each other the one bought last counts; what
    came back whole is not needed again, but says that its buyer was not pleased.
-#}
{%- set day_micros = 86400000000 -%}

with products as (
    select * from {{ ref('dim_products') }}
),

intervals as (
    select * from {{ ref('rpt_replenishment_intervals') }}
    where interval_days is not null
),

purchases as (
    select
        lines.customer_id,
        lines.product_id,
        lines.order_id,
        lines.order_source,
        coalesce(products.substitute_group, products.product_id) as need,
        lines.ordered_at,
        coalesce(lines.returned_quantity, 0) > 0 as has_return
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ ref('fct_orders') }} as orders
        on lines.order_id = orders.order_id and lines.order_source = orders.order_source
    inner join products on lines.product_id = products.product_id
    where lines.customer_id is not null and {{ is_purchase_of_goods('orders', 'lines') }}
),

last_purchases as (
    select
        *,
        count(*) over (partition by customer_id, need) as purchase_count
    from purchases
    qualify row_number() over (
        partition by customer_id, need
        order by ordered_at desc, product_id, has_return desc, order_id, order_source
    ) = 1
),

feedback as (
    select * from {{ ref('int_feedback_resolved') }}
    where customer_id is not null and occurred_at <= {{ as_of() }}
),

order_times as (
    select distinct
        customer_id,
        ordered_at
    from purchases
),

-- A complaint that names no product is about the person's latest order before it
latest_orders as (
    select
        feedback.feedback_key,
        max(order_times.ordered_at) as ordered_at
    from feedback
    inner join order_times
        on feedback.customer_id = order_times.customer_id and feedback.occurred_at >= order_times.ordered_at
    where feedback.kind = 'complaint' and feedback.product_id is null
    group by feedback.feedback_key
),

displeased as (
    select
        last_purchases.customer_id,
        last_purchases.product_id,
        max(case when feedback.kind = 'review' then 1 else 0 end) as reviews,
        max(case when feedback.kind = 'complaint' then 1 else 0 end) as complaints
    from last_purchases
    inner join feedback
        on
            last_purchases.customer_id = feedback.customer_id
            and last_purchases.ordered_at <= feedback.occurred_at
    left join latest_orders on feedback.feedback_key = latest_orders.feedback_key
    where
        (
            feedback.kind = 'review'
            and feedback.product_id = last_purchases.product_id
            and feedback.score <= {{ var('bad_review_score') }}
        )
        or (feedback.kind = 'complaint' and feedback.product_id = last_purchases.product_id)
        or (feedback.kind = 'complaint' and last_purchases.ordered_at = latest_orders.ordered_at)
    group by last_purchases.customer_id, last_purchases.product_id
),

due as (
    select
        last_purchases.customer_id,
        last_purchases.product_id,
        products.category,
        products.brand,
        last_purchases.purchase_count,
        intervals.interval_days,
        intervals.basis,
        case
            when displeased.reviews = 1 then 'bad_review'
            when displeased.complaints = 1 then 'complaint'
            when last_purchases.has_return then 'returned'
        end as displeased_by,
        last_purchases.ordered_at as last_bought_at,
        {{ timestamp_from_micros(
            epoch_micros('last_purchases.ordered_at') ~ ' + cast(intervals.interval_days as bigint) * ' ~ day_micros
        ) }} as due_at,
        -- A twelfth of the time early: of a year, after eleven months
        {{ timestamp_from_micros(
            epoch_micros('last_purchases.ordered_at') ~ ' + (intervals.interval_days - cast(ceil(intervals.interval_days / '
            ~ var('replenishment_early_part') ~ '.0) as bigint)) * ' ~ day_micros
        ) }} as remind_at
    from last_purchases
    inner join intervals on last_purchases.product_id = intervals.product_id
    inner join products on last_purchases.product_id = products.product_id
    left join displeased
        on
            last_purchases.customer_id = displeased.customer_id
            and last_purchases.product_id = displeased.product_id
),

-- What else the shop has for the same need: of each category and brand the product that most orders hold
brand_choices as (
    select
        category,
        brand,
        product_id,
        order_count
    from products
    where category is not null and brand is not null and coalesce(in_stock, true)
    qualify row_number() over (partition by category, brand order by order_count desc, product_id) = 1
),

displeased_brands as (
    select distinct
        category,
        brand
    from due
    where displeased_by is not null
),

other_brands as (
    select
        displeased_brands.category,
        displeased_brands.brand,
        brand_choices.product_id
    from displeased_brands
    inner join brand_choices
        on displeased_brands.category = brand_choices.category and displeased_brands.brand <> brand_choices.brand
    qualify row_number() over (
        partition by displeased_brands.category, displeased_brands.brand
        order by brand_choices.order_count desc, brand_choices.product_id
    ) = 1
),

-- Only offers to everybody that hold now and say what they are for
offers as (
    select
        promotion_code_id,
        promotion_id,
        category,
        product_id,
        percent_off
    from {{ ref('dim_promotions') }}
    where
        for_segment is null
        and voucher_count = 0
        and coalesce(category, product_id) is not null
        and coalesce(starts_at, {{ as_of() }}) <= {{ as_of() }}
        and coalesce(ends_at > {{ as_of() }}, true)
),

fitting_offers as (
    select
        other_brands.category,
        other_brands.brand,
        offers.promotion_id
    from other_brands
    inner join offers
        on
            coalesce(offers.category, other_brands.category) = other_brands.category
            and coalesce(offers.product_id, other_brands.product_id) = other_brands.product_id
    qualify row_number() over (
        partition by other_brands.category, other_brands.brand
        order by offers.percent_off desc nulls last, offers.promotion_id, offers.promotion_code_id
    ) = 1
),

final as (
    select
        due.customer_id,
        due.product_id,
        due.purchase_count,
        due.interval_days,
        due.basis,
        due.displeased_by is not null as is_displeased,
        due.displeased_by,
        other_brands.product_id as other_product_id,
        fitting_offers.promotion_id as other_promotion_id,
        due.last_bought_at,
        due.remind_at,
        due.due_at
    from due
    left join other_brands
        on due.displeased_by is not null and due.category = other_brands.category and due.brand = other_brands.brand
    left join fitting_offers
        on due.displeased_by is not null and due.category = fitting_offers.category and due.brand = fitting_offers.brand
)

select * from final
