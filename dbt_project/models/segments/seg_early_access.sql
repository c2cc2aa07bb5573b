{{ config(meta={'segment': {
    'label': 'Early access',
    'description': 'In the stage advocacy, and no open case: what is new, before others.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 44,
}}) }}

{{ members(
    all=[in_stage(of='advocacy')], none=[open_case()], context='buyer',
    fields=['product', 'product_id', 'category', 'colour', 'order_count'], reason='A friend of the shop: {orders}.'
) }}
