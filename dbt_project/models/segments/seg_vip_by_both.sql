{{ config(meta={'segment': {
    'label': 'VIP by both',
    'description': 'The best ' ~ '%g' | format(var('vip_top_share') * 100)
        ~ ' % of buyers by average order, and by number of orders.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 29,
}}) }}

{{ members(
    all=[
        ordered(at_least=var('vip_min_orders')), among_best(by='orders', share=var('vip_top_share')),
        among_best(by='average_order_value', share=var('vip_top_share')),
    ], context='buyer', fields=['product', 'product_id', 'category', 'order_count', 'value', 'currency'],
    reason='{orders} of a high average: among the best by both.'
) }}
