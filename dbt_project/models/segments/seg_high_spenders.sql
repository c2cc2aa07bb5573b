{{ config(meta={'segment': {
    'label': 'High spenders',
    'description': 'An average order of at least ' ~ var('high_spender_factor') ~ ' times that of the shop.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 82,
}}) }}

{{ members(
    all=[spender(tier='high')], context='buyer', reason='{orders}, {value} in all, a high average.',
    fields=['product', 'product_id', 'category', 'order_count', 'value', 'currency']
) }}
