{{ config(meta={'segment': {
    'label': 'Likely to order in 7 days',
    'description': 'The next order is expected within 7 days, and is not overdue.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 64,
}}) }}

{{ members(
    all=[next_order_due(within_days=7)],
    none=[overdue()],
    context='buyer', fields=['product', 'product_id', 'category', 'order_count', 'last_ordered_on'],
    reason='{rhythm} The next one is expected soon.'
) }}
