{{ config(meta={'segment': {
    'label': 'Coupon for repeat customers',
    'description': 'Two kept orders or more, the last one in {win_back_60_days} days, none of 90 days with a code.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 56, 'window_days': 'win_back_60_days',
}}) }}

{{ members(
    all=[ordered(at_least=2), last_order(within_days='win_back_60_days')],
    none=[ordered(with_code=true, within_days=90)],
    context='buyer', reason='{rhythm}'
) }}
