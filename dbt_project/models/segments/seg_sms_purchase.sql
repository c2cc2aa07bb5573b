{{ config(meta={'segment': {
    'label': 'SMS, purchase', 'description': 'Known and in the stage purchase: what goes with it, by text message.',
    'channel': 'sms', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 72, 'may_be_everybody': True,
}}) }}

{{ members(
    all=[is_known(), in_stage(of='purchase')], reason='In the stage purchase of the journey.'
) }}
