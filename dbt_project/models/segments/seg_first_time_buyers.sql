{{ config(meta={'segment': {
    'label': 'First-time buyers', 'description': 'One kept order: welcome them on the site as customers.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 88,
}}) }}

{{ members(
    all=[ordered(exactly=1)], context='buyer', reason='Bought once, {ordered_on}: {products}.',
    fields=['product', 'product_id', 'category', 'last_ordered_on']
) }}
