{{ config(meta={'segment': {
    'label': 'Abandoned cart, 48 hours',
    'description': 'Left products in the cart 48 hours to ' ~ var('abandoned_max_days') ~ ' days ago: the third step.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 33, 'window_days': var('abandoned_max_days'),
}}) }}

{{ members(
    all=[abandoned(what='cart', after_hours=48)], context='cart',
    reason='Left {products} in the cart {left_on} and has not ordered since.'
) }}
