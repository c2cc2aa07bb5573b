{{ config(meta={'segment': {
    'label': 'Loyal customers',
    'description': 'At least {loyal_min_orders} kept orders and still buying at their usual pace.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'offer',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 40,
}}) }}

with buyers as (
    select * from {{ ref('fct_customer_order_summary') }}
    where
        order_count >= {{ threshold('loyal_min_orders') }}
        and days_since_last_order <= overdue_after_days
),

purchases as (
    select * from {{ ref('customer_last_purchases') }}
),

preferences as (
    select * from {{ ref('customer_preferences') }}
),

final as (
    select
        buyers.customer_id,
        {{ order_rhythm_in_words('buyers') }} as reason,
        {{ json_object_text({
            'product': 'purchases.product_name',
            'product_id': 'purchases.product_id',
            'category': 'purchases.category',
            'colour': 'preferences.colour',
            'order_count': 'buyers.order_count',
            'value': money_in_context('buyers.lifetime_net_sales'),
            'currency': 'buyers.currency',
            'usual_gap_days': 'buyers.usual_gap_days',
            'last_ordered_on': 'buyers.last_ordered_date',
        }) }} as context
    from buyers
    left join purchases on buyers.customer_id = purchases.customer_id
    left join preferences on buyers.customer_id = preferences.customer_id
)

select * from final
