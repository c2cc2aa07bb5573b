{{ config(meta={'segment': {
    'label': 'Undecided visitors',
    'description': 'Looked at three products or more in the last 7 days, put none in the cart and never ordered.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 79, 'window_days': 7,
}}) }}

{{ members(
    all=[viewed_products(at_least=3, within_days=7)], none=[reached(step='cart'), ordered()],
    context='visitor', reason='Looked at products and put none in the cart; {visits} so far.'
) }}
