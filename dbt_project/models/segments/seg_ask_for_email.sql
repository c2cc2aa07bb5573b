{{ config(meta={'segment': {
    'label': 'Ask for email',
    'description': 'Known, never said yes or no to email, or the yes ran out, and was not asked in the last '
        ~ var('ask_again_days') ~ ' days.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'newsletter', 'plain_context': {},
    'destinations': ['file'], 'priority': 92, 'may_be_everybody': True,
}}) }}

{{ members(
    all=[unanswered(about='email')],
    none=[asked(about='email', within_days=var('ask_again_days'))],
    reason='No permission for email is on record, and no refusal.'
) }}
