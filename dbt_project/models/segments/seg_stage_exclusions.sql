{{ config(meta={'segment': {
    'label': 'Stage exclusions',
    'description': 'In the stage purchase or advocacy: to leave out of ads that are for beginners.',
    'channel': 'ads', 'purpose': 'ads', 'message_kind': 'reminder', 'is_exclusion': True, 'plain_context': {},
    'destinations': ['file'], 'priority': 97,
}}) }}

{{ members(
    all=[in_stage(of=['purchase', 'advocacy'])], reason='Past the stages that ads for beginners are for.'
) }}
