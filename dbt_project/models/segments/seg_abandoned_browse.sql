{{ config(meta={'segment': {
    'label': 'Abandoned browse',
    'description': 'Looked at a product in the last ' ~ var('abandoned_max_days') ~ ' days, then neither cart nor order.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'reminder',
    'plain_context': {},
    'exit_on': ['order_placed'],
    'destinations': ['file'],
    'priority': 14,
    'window_days': var('abandoned_max_days'),
}}) }}

with recent as (
    select * from {{ ref('recent_interactions') }}
),

last_views as (
    select *
    from recent
    where event_name = 'Product Viewed'
    qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
),

later_steps as (
    select distinct last_views.customer_id
    from last_views
    inner join recent
        on
            last_views.customer_id = recent.customer_id
            and last_views.occurred_at <= recent.occurred_at
    where recent.is_cart_event
),

final as (
    select
        last_views.customer_id,
        'Looked at ' || {{ product_in_words('last_views.product_name', 'last_views.sku') }} || ' '
        || {{ on_day_in_words('last_views.occurred_at') }} || ' and has not put it in the cart.' as reason,
        {{ json_object_text({
            'product': 'last_views.product_name',
            'product_id': 'last_views.product_id',
            'sku': 'last_views.sku',
            'category': 'last_views.category',
            'value': money_in_context('last_views.price'),
            'link': 'last_views.page_url',
            'viewed_at': 'last_views.occurred_at',
        }) }} as context
    from last_views
    inner join {{ ref('dim_customers') }} as customers on last_views.customer_id = customers.customer_id
    left join later_steps on last_views.customer_id = later_steps.customer_id
    where
        customers.is_known
        and last_views.occurred_at >= {{ before_as_of(var('abandoned_max_days'), 'day') }}
        and last_views.occurred_at <= {{ before_as_of(var('abandoned_min_hours'), 'hour') }}
        and later_steps.customer_id is null
        and last_views.is_after_last_order
)

select * from final
