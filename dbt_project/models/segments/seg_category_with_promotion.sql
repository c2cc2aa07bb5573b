{{ config(meta={'segment': {
    'label': 'Category with a promotion',
    'description': 'Looked at a product in the last ' ~ var('abandoned_max_days') ~ ' days with a promotion on it or its category.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 23, 'window_days': var('abandoned_max_days'),
}}) }}

{{ members(
    all=[is_known(), viewed_on_offer()], context='viewed_offer',
    reason='Looked at {product} {viewed_on}; {offer} is live, {until}.'
) }}
