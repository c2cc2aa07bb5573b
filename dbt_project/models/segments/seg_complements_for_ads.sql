{{ config(meta={'segment': {
    'label': 'Complements for ads',
    'description': 'The last order at most {win_back_60_days} days ago, and a product of another category with it: for ads.',
    'channel': 'ads', 'purpose': 'ads', 'message_kind': 'recommendation', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 101, 'window_days': 'win_back_60_days',
}}) }}

{{ members(
    all=[recommended(kind='cross_sell'), last_order(within_days='win_back_60_days')],
    context='cross_sell', reason='{product} is often bought with {with_product}, which they have.'
) }}
