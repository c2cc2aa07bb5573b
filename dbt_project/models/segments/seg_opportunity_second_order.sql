{{ config(meta={'segment': {
    'label': 'Opportunity: second order',
    'description': 'New or promising by RFM, and here again of late.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 62,
}}) }}

{{ members(
    all=[opportunity(of='second_order')], context='buyer',
    fields=['product', 'product_id', 'category', 'order_count', 'last_ordered_on'],
    reason='{rhythm} Here again of late.'
) }}
