{{ config(meta={'segment': {
    'label': 'Second order due',
    'description': 'One kept order, more than {recent_buyer_days} and at most {win_back_60_days} days ago.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 58, 'window_days': 'win_back_60_days',
}}) }}

{{ members(
    all=[ordered(exactly=1), last_order(older_than_days='recent_buyer_days', within_days='win_back_60_days')],
    context='buyer', reason='Bought {products} {ordered_on}, and nothing since.',
    fields=['product', 'product_id', 'category', 'last_ordered_on']
) }}
