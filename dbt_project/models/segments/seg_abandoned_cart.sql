{{ config(meta={'segment': {
    'label': 'Abandoned cart',
    'description': 'Left products in the cart in the last ' ~ var('abandoned_max_days') ~ ' days, and no order since.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'reminder',
    'plain_context': {},
    'exit_on': ['order_placed'],
    'destinations': ['file'],
    'priority': 12,
    'window_days': var('abandoned_max_days'),
}}) }}

{{ members(all=[abandoned(what='cart')], context='cart', reason='Left {products} in the cart {left_on}.') }}
