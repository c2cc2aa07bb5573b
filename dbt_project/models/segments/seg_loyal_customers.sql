{{ config(meta={'segment': {
    'label': 'Loyal customers',
    'description': 'At least {loyal_min_orders} kept orders and still buying at their usual pace.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'offer',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 40,
}}) }}

{{ members(
    all=[ordered(at_least='loyal_min_orders')], none=[overdue()],
    context='buyer', reason='{rhythm}'
) }}
