{{ config(meta={'segment': {
    'label': 'Occasion gifts',
    'description': 'Bought a gift for an occasion before that is on again or comes within ' ~ var('occasion_days')
        ~ ' days.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 28, 'window_days': var('occasion_days'),
}}) }}

{{ members(
    all=[gift_again(within_days=var('occasion_days'))],
    reason='Bought a gift for an occasion that comes again.'
) }}
