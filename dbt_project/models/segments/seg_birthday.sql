{{ config(meta={'segment': {
    'label': 'Birthday',
    'description': 'Said that they have their birthday within ' ~ var('birthday_days')
        ~ ' days, and lets the shop personalise in full.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 9, 'window_days': var('birthday_days'),
}}) }}

{{ members(
    all=[birthday(within_days=var('birthday_days')), personalisation(of='full')],
    reason='A birthday of their own that they told the shop of.'
) }}
