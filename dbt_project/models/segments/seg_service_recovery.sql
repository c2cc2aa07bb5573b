{{ config(meta={'segment': {
    'label': 'Service recovery',
    'description': 'Complained, asked for help or wrote a bad review in the last ' ~ var('service_recovery_days')
        ~ ' days, and the case is not closed: put it right.',
    'channel': 'email',
    'purpose': 'transactional',
    'message_kind': 'service',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 5,
    'window_days': var('service_recovery_days'),
}}) }}

{{ members(
    all=[open_case()], context='open_case', reason='{said} {said_on}, and the case is open.'
) }}
