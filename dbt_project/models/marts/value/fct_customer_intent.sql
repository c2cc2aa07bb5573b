with features as (
    select *
    from {{ ref('int_intent_features') }}
    where
        as_of_date in (
            {%- for date in as_of_dates() %}
            date '{{ date }}'
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        )
        or (
            as_of_date = last_signal_date
            and {{ days_until_as_of('as_of_date') }} < {{ var('intent_days') }}
        )
),

signals as (
    select * from {{ ref('int_intent_signals') }}
),

predicted as (
    select * from {{ ref('stg_science__customer_intent') }}
    -- Of another day, these are left from an earlier run.
    where computed_on = {{ as_of_date() }}
),

final as (
    select
        features.customer_id,
        features.as_of_date,
        features.as_of_date = {{ as_of_date() }} as is_current,
        predicted.intent,
        predicted.alike_share,
        predicted.alike_people,
        features.signal,
        signals.product_id as signal_product_id,
        coalesce(products.category, signals.searched_category) as signal_category,
        {{ intent_reason('features.signal', 'features.signal_date') }} as reason,
        features.visited_count as visit_count,
        features.viewed_count as product_view_count,
        features.returned_to_count as return_count,
        features.searched_count as search_count,
        features.clicked_count as click_count,
        features.wishlisted_count as wishlist_count,
        features.carted_count as cart_count,
        features.checked_out_count as checkout_count,
        case when predicted.customer_id is null then 'no_fitted_model' else predicted.null_reason end as null_reason,
        predicted.next_stage,
        predicted.next_stage_28d,
        case
            when predicted.customer_id is null then 'no_fitted_model' else predicted.next_stage_null_reason
        end as next_stage_null_reason,
        signals.last_signal_at as signal_at
    from features
    left join signals
        on
            features.customer_id = signals.customer_id
            and features.signal_date = signals.signal_date
            and features.signal = signals.signal
    left join {{ ref('dim_products') }} as products on signals.product_id = products.product_id
    left join predicted
        on features.customer_id = predicted.customer_id and features.as_of_date = predicted.as_of_date
)

select * from final
