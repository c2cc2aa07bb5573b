{{ config(meta={'segment': {
    'label': 'Returning buyers', 'description': 'Two kept orders or more, and fewer than {loyal_min_orders}.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 87,
}}) }}

{{ members(
    all=[ordered(at_least=2)], none=[ordered(at_least='loyal_min_orders')],
    context='buyer', reason='{rhythm}'
) }}
