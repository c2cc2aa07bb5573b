{{ config(meta={'segment': {
    'label': 'Retargeting',
    'description': 'Looked at a product or put it in the cart in the last ' ~ var('abandoned_max_days')
        ~ ' days, and has not ordered since: for ads.',
    'channel': 'ads',
    'purpose': 'ads',
    'message_kind': 'reminder',
    'plain_context': {},
    'exit_on': ['order_placed'],
    'destinations': ['meta_ads', 'google_ads'],
    'priority': 95,
    'window_days': var('abandoned_max_days'),
}}) }}

with last_steps as (
    select *
    from {{ ref('recent_interactions') }}
    where event_name in ('Product Viewed', 'Product Added')
    qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
),

final as (
    select
        last_steps.customer_id,
        case when last_steps.is_cart_event then 'Put ' else 'Looked at ' end
        || {{ product_in_words('last_steps.product_name', 'last_steps.sku') }}
        || case when last_steps.is_cart_event then ' in the cart ' else ' ' end
        || {{ on_day_in_words('last_steps.occurred_at') }} || ' and has not ordered since.' as reason,
        {{ json_object_text({
            'product': 'last_steps.product_name',
            'product_id': 'last_steps.product_id',
            'sku': 'last_steps.sku',
            'category': 'last_steps.category',
            'seen_at': 'last_steps.occurred_at',
        }) }} as context
    from last_steps
    inner join {{ ref('dim_customers') }} as customers on last_steps.customer_id = customers.customer_id
    where
        customers.is_known
        and last_steps.occurred_at >= {{ before_as_of(var('abandoned_max_days'), 'day') }}
        and last_steps.occurred_at <= {{ before_as_of(var('abandoned_min_hours'), 'hour') }}
        and last_steps.is_after_last_order
)

select * from final
