{{ config(meta={'segment': {
    'label': 'SMS, acquisition',
    'description': 'Known and in the stage acquisition: what helps to order, by text message.',
    'channel': 'sms', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 73, 'may_be_everybody': True,
}}) }}

{{ members(
    all=[is_known(), in_stage(of='acquisition')], reason='In the stage acquisition of the journey.'
) }}
