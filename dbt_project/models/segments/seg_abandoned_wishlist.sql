{{ config(meta={'segment': {
    'label': 'Abandoned wishlist',
    'description': 'Put a product on the wishlist 1 to 30 days ago, and has not bought it.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 17, 'window_days': 30,
}}) }}

{{ members(
    all=[is_known(), left_wishlist(after_hours=24, within_days=30)], context='wishlist',
    reason='Put {product} on the wishlist {wished_on} and has not bought it.'
) }}
