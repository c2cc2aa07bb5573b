{{ config(meta={'segment': {
    'label': 'Opportunity: win back',
    'description': 'In an RFM group that stays away, and here again of late.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'win_back', 'plain_context': {},
    'destinations': ['file'], 'priority': 63,
}}) }}

{{ members(
    all=[opportunity(of='win_back')], context='buyer',
    fields=['product', 'product_id', 'category', 'order_count', 'last_ordered_on'],
    reason='{rhythm} Here again of late.'
) }}
