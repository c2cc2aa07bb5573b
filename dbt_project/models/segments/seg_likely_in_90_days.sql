{{ config(meta={'segment': {
    'label': 'Likely to order in 90 days',
    'description': 'The next order is expected within 90 days, and not within 30, and is not overdue.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 67,
}}) }}

{{ members(
    all=[next_order_due(within_days=90)],
    none=[overdue(), next_order_due(within_days=30)],
    context='buyer', fields=['product', 'product_id', 'category', 'order_count', 'last_ordered_on'],
    reason='{rhythm} The next one is expected soon.'
) }}
