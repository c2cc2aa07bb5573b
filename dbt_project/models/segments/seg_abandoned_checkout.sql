{{ config(meta={'segment': {
    'label': 'Abandoned checkout',
    'description': 'Left a checkout in the last ' ~ var('abandoned_max_days') ~ ' days, and no order since.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 11, 'window_days': var('abandoned_max_days'),
}}) }}

{{ members(all=[left_checkout()], context='checkout', reason='Left {product} in the checkout {left_on}.') }}
