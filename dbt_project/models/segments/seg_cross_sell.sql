{{ config(meta={'segment': {
    'label': 'Cross-sell',
    'description': 'The last order at most {win_back_60_days} days ago, and a product of another category goes with it.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 52, 'window_days': 'win_back_60_days',
}}) }}

{{ members(
    all=[recommended(kind='cross_sell'), last_order(within_days='win_back_60_days')], none=[open_case()],
    context='cross_sell', reason='{product} is often bought with {with_product}, which they have.'
) }}
