{{ config(meta={'segment': {
    'label': 'Abandoned cart, 24 hours',
    'description': 'Left products in the cart 24 hours to ' ~ var('abandoned_max_days') ~ ' days ago: the second step.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 31, 'window_days': var('abandoned_max_days'),
}}) }}

{{ members(
    all=[abandoned(what='cart', after_hours=24)], context='cart',
    reason='Left {products} in the cart {left_on} and has not ordered since.'
) }}
