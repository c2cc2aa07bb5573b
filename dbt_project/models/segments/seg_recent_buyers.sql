{{ config(meta={'segment': {
    'label': 'Recent buyers',
    'description': 'A kept order in the last {recent_buyer_days} days: thank them, and leave them out of offers.',
    'channel': 'email',
    'purpose': 'transactional',
    'message_kind': 'thank_you',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 10,
    'window_days': 'recent_buyer_days',
}}) }}

with buyers as (
    select * from {{ ref('fct_customer_order_summary') }}
    where order_count > 0 and days_since_last_order <= {{ threshold('recent_buyer_days') }}
),

purchases as (
    select * from {{ ref('customer_last_purchases') }}
),

final as (
    select
        buyers.customer_id,
        'Ordered ' || purchases.product_words || ' '
        || {{ on_date_in_words('buyers.last_ordered_date') }} || '.' as reason,
        {{ json_object_text({
            'product': 'purchases.product_name',
            'product_id': 'purchases.product_id',
            'category': 'purchases.category',
            'order_id': 'purchases.order_id',
            'value': money_in_context('purchases.net_sales'),
            'currency': 'purchases.currency',
            'is_first_order': 'buyers.order_count = 1',
        }) }} as context
    from buyers
    left join purchases on buyers.customer_id = purchases.customer_id
)

select * from final
