{{ config(meta={'segment': {
    'label': 'Buyers without email permission',
    'description': 'A kept order, and no email for marketing allowed: reach them where they said yes.',
    'channel': 'sms',
    'purpose': 'marketing',
    'message_kind': 'newsletter',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 70,
    'may_be_everybody': True,
}}) }}

{{ members(
    all=[ordered()], none=[contactable(channel='email')],
    context='permission', reason='{orders}, but {permission}.'
) }}
