{{ config(meta={'segment': {
    'label': 'SMS, advocacy',
    'description': 'Known and in the stage advocacy: what is for friends of the shop, by text message.',
    'channel': 'sms', 'purpose': 'marketing', 'message_kind': 'newsletter', 'plain_context': {},
    'destinations': ['file'], 'priority': 71, 'may_be_everybody': True,
}}) }}

{{ members(
    all=[is_known(), in_stage(of='advocacy')], reason='In the stage advocacy of the journey.'
) }}
