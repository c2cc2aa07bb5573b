{{ config(meta={'segment': {
    'label': 'One-time buyers',
    'description': 'Exactly one kept order: the second order is the one to win.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'offer',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 60,
}}) }}

{{ members(
    all=[ordered(exactly=1)], context='buyer', reason='Bought once, {ordered_on}: {products}.',
    fields=['product', 'product_id', 'category', 'value', 'currency', 'last_ordered_on']
) }}
