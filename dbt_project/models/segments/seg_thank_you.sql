{{ config(meta={'segment': {
    'label': 'Thank you',
    'description': 'A kept order in the last 3 days: once per order.',
    'channel': 'email', 'purpose': 'transactional', 'message_kind': 'thank_you', 'plain_context': {},
    'destinations': ['file'], 'priority': 8, 'window_days': 3,
}}) }}

{{ members(
    all=[last_order(within_days=3)], context='last_purchase', reason='Ordered {products} {ordered_on}.'
) }}
