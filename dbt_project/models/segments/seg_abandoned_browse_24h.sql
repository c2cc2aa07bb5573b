{{ config(meta={'segment': {
    'label': 'Abandoned browse, 24 hours',
    'description': 'Looked at a product 24 hours to ' ~ var('abandoned_max_days')
        ~ ' days ago, then neither cart nor order: the second step.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 35, 'window_days': var('abandoned_max_days'),
}}) }}

{{ members(
    all=[is_known(), abandoned(what='browse', after_hours=24)], context='browse',
    reason='Looked at {product} {viewed_on} and has not put it in the cart.'
) }}
