{{ config(meta={'segment': {
    'label': 'Medium spenders',
    'description': 'An average order of ' ~ var('low_spender_factor') ~ ' to ' ~ var('high_spender_factor')
        ~ ' times that of the shop.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 83,
}}) }}

{{ members(
    all=[spender(tier='medium')], context='buyer', reason='{orders}, {value} in all, a medium average.',
    fields=['product', 'product_id', 'category', 'order_count', 'value', 'currency']
) }}
