{{ config(meta={'segment': {
    'label': 'Social-ad visitors',
    'description': 'Came first by an ad on social media and never ordered: free shipping on the first order.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 81,
    'landing_page': 'first_order', 'slots': {'header_banner': 'free_shipping'},
}}) }}

{{ members(
    all=[first_came_from(marketing_channel='paid_social')], none=[ordered()],
    context='visitor', reason='First came {came}; {visits}, no order so far.'
) }}
