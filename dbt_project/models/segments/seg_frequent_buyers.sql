{{ config(meta={'segment': {
    'label': 'Frequent buyers', 'description': 'At least {loyal_min_orders} kept orders, whenever the last one was.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 85,
}}) }}

{{ members(
    all=[ordered(at_least='loyal_min_orders')], context='buyer', reason='{rhythm}'
) }}
