{{ config(meta={'segment': {
    'label': 'Up-sell',
    'description': 'The last order at most {win_back_60_days} days ago, and a costlier product of its category in reach.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 54, 'window_days': 'win_back_60_days',
}}) }}

{{ members(
    all=[recommended(kind='up_sell'), last_order(within_days='win_back_60_days')], none=[open_case()],
    context='up_sell', reason='{product} is of the category of {with_product}, which they have, and costs more.'
) }}
