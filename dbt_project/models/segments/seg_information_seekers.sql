{{ config(meta={'segment': {
    'label': 'Information seekers',
    'description': 'Came first by a search, never ordered and gets no email: invite them to sign up.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'newsletter', 'plain_context': {},
    'destinations': ['file'], 'priority': 89,
    'slots': {'pop_under': 'sign_up'},
}}) }}

{{ members(
    all=[first_came_from(marketing_channel='organic_search')], none=[ordered(), contactable(channel='email')],
    context='visitor', reason='First came {came}; {visits}, no order so far.'
) }}
