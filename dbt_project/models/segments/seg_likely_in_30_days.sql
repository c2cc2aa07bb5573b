{{ config(meta={'segment': {
    'label': 'Likely to order in 30 days',
    'description': 'The next order is expected within 30 days, and not within 7, and is not overdue.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 65,
}}) }}

{{ members(
    all=[next_order_due(within_days=30)],
    none=[overdue(), next_order_due(within_days=7)],
    context='buyer', fields=['product', 'product_id', 'category', 'order_count', 'last_ordered_on'],
    reason='{rhythm} The next one is expected soon.'
) }}
