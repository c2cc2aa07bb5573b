{{ config(meta={'segment': {
    'label': 'Opportunity: reach out',
    'description': 'In one of the best RFM groups, and neither visit nor click of late.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'newsletter', 'plain_context': {},
    'destinations': ['file'], 'priority': 61,
}}) }}

{{ members(
    all=[opportunity(of='reach_out')], context='buyer',
    fields=['product', 'product_id', 'category', 'order_count', 'last_ordered_on'],
    reason='{rhythm} Quiet of late.'
) }}
