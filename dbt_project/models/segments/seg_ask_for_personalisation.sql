{{ config(meta={'segment': {
    'label': 'Ask for personalisation',
    'description': 'Never said how far the shop may personalise, and was not asked in the last '
        ~ var('ask_again_days') ~ ' days.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'newsletter', 'plain_context': {},
    'destinations': ['file'], 'priority': 93, 'may_be_everybody': True,
}}) }}

{{ members(
    all=[unanswered(about='personalisation')], none=[asked(about='personalisation', within_days=var('ask_again_days'))],
    reason='Never said how far the shop may personalise.'
) }}
