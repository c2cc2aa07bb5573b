{{ config(meta={'segment': {
    'label': 'Abandoned browse',
    'description': 'Looked at a product in the last ' ~ var('abandoned_max_days') ~ ' days, then neither cart nor order.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'reminder',
    'plain_context': {},
    'exit_on': ['order_placed'],
    'destinations': ['file'],
    'priority': 14,
    'window_days': var('abandoned_max_days'),
}}) }}

{{ members(
    all=[is_known(), abandoned(what='browse')],
    context='browse', reason='Looked at {product} {viewed_on} and has not put it in the cart.'
) }}
