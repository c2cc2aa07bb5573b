{{ config(meta={'segment': {
    'label': 'Win back, 75 days',
    'description': 'The last order {win_back_75_days} to {win_back_90_days} days ago: the second step.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'win_back', 'plain_context': {},
    'destinations': ['file'], 'priority': 34, 'exit_on': ['order_placed'], 'window_days': 'win_back_90_days',
}}) }}

{{ members(
    all=[last_order(older_than_days='win_back_75_days', within_days='win_back_90_days')],
    none=[in_segment('at_risk')], context='buyer', reason='Bought {products} {ordered_on}, and nothing since.',
    fields=['product', 'product_id', 'category', 'order_count', 'usual_gap_days', 'last_ordered_on']
) }}
