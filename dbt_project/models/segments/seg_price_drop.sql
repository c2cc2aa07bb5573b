{{ config(meta={'segment': {
    'label': 'Price drop',
    'description': 'Looked at a product, put it in the cart or on the wishlist, and it costs less since.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 13, 'window_days': 7,
}}) }}

{{ members(
    all=[is_known(), price_dropped(within_days=7)], context='price_drop',
    reason='{product}, which they wanted {wanted_on}, costs {prices} {changed_on}.'
) }}
