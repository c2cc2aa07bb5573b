{{ config(meta={'segment': {
    'label': 'Bundle',
    'description': 'Looked at a product in the last ' ~ var('recommendation_visit_days')
        ~ ' days that is often bought with another one: both together.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 53,
}}) }}

{{ members(
    all=[is_known(), recommended(kind='bundle')], none=[open_case()],
    context='bundle', reason='Looked at {product}, which is often bought with {with_product}.'
) }}
