{{ config(meta={'segment': {
    'label': 'Potential buyers',
    'description': 'Put a product in the cart in the last ' ~ var('potential_buyer_days')
        ~ ' days, began no checkout and never ordered.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'reminder', 'plain_context': {},
    'destinations': ['file'], 'priority': 86, 'window_days': var('potential_buyer_days'),
}}) }}

{{ members(
    all=[reached(step='cart', within_days=var('potential_buyer_days'))],
    none=[reached(step='checkout', within_days=var('potential_buyer_days')), ordered()],
    context='visitor', reason='Put a product in the cart and began no checkout; {visits} so far.'
) }}
