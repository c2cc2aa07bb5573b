{{ config(meta={'segment': {
    'label': 'SMS, consideration',
    'description': 'Known and in the stage consideration: what helps to choose, by text message.',
    'channel': 'sms', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 74, 'may_be_everybody': True,
}}) }}

{{ members(
    all=[is_known(), in_stage(of='consideration')], reason='In the stage consideration of the journey.'
) }}
