{{ config(meta={'segment': {
    'label': 'SMS, awareness',
    'description': 'Known and in the stage awareness: what the shop is about, by text message.',
    'channel': 'sms', 'purpose': 'marketing', 'message_kind': 'welcome', 'plain_context': {},
    'destinations': ['file'], 'priority': 75, 'may_be_everybody': True,
}}) }}

{{ members(
    all=[is_known(), in_stage(of='awareness')], reason='In the stage awareness of the journey.'
) }}
