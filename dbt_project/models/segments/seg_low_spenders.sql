{{ config(meta={'segment': {
    'label': 'Low spenders',
    'description': 'An average order of less than ' ~ var('low_spender_factor') ~ ' times that of the shop.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 84,
}}) }}

{{ members(
    all=[spender(tier='low')], context='buyer', reason='{orders}, {value} in all, a low average.',
    fields=['product', 'product_id', 'category', 'order_count', 'value', 'currency']
) }}
