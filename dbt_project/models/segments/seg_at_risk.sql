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

{{ members(
    all=[ordered(at_least='at_risk_min_orders'), overdue()],
    context='buyer', reason='{rhythm}',
    fields=['product', 'product_id', 'category', 'order_count', 'value', 'currency', 'usual_gap_days', 'last_ordered_on']
) }}
