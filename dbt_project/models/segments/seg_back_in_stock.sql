{{ config(meta={'segment': {
    'label': 'Back in stock',
    'description': 'Looked at a product, put it in the cart or on the wishlist, and it can be bought again.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 15, 'window_days': 7,
}}) }}

{{ members(
    all=[is_known(), back_in_stock(within_days=7)], context='restock',
    reason='{product}, which they wanted {wanted_on}, is back in stock {changed_on}.'
) }}
