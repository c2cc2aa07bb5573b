{{ config(meta={'segment': {
    'label': 'Costly and unmailable',
    'description': 'On a list of the mail system, which charges for them, and may not be emailed: to take off it.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'newsletter', 'plain_context': {},
    'destinations': ['file'], 'priority': 99, 'may_be_everybody': True,
}}) }}

{{ members(
    all=[on_list()], none=[contactable(channel='email')],
    context='permission', fields=['permission'], reason='On a list, but {permission}.'
) }}
