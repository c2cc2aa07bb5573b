{{ config(meta={'segment': {
    'label': 'At risk',
    'description': 'At least {at_risk_min_orders} kept orders, and none for more than {overdue_min_days} days and '
        ~ var('overdue_gap_factor') ~ ' times their usual gap.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'win_back',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 30,
}}) }}

with buyers as (
    select * from {{ ref('fct_customer_order_summary') }}
    where
        order_count >= {{ threshold('at_risk_min_orders') }}
        and days_since_last_order > overdue_after_days
),

purchases as (
    select * from {{ ref('customer_last_purchases') }}
),

final as (
    select
        buyers.customer_id,
        {{ order_rhythm_in_words('buyers') }} as reason,
        {{ json_object_text({
            'product': 'purchases.product_name',
            'product_id': 'purchases.product_id',
            'category': 'purchases.category',
            'order_count': 'buyers.order_count',
            'value': money_in_context('buyers.lifetime_net_sales'),
            'currency': 'buyers.currency',
            'usual_gap_days': 'buyers.usual_gap_days',
            'last_ordered_on': 'buyers.last_ordered_date',
        }) }} as context
    from buyers
    left join purchases on buyers.customer_id = purchases.customer_id
)

select * from final
