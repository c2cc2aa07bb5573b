{{ config(meta={'segment': {
    'label': 'Recent buyers',
    'description': 'A kept order in the last {recent_buyer_days} days: thank them, and leave them out of offers.',
    'channel': 'email',
    'purpose': 'transactional',
    'message_kind': 'thank_you',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 10,
    'window_days': 'recent_buyer_days',
}}) }}

{{ members(
    all=[last_order(within_days='recent_buyer_days')],
    context='last_purchase', reason='Ordered {products} {ordered_on}.'
) }}
