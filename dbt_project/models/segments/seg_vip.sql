{{ config(meta={'segment': {
    'label': 'VIP',
    'description': 'The best ' ~ '%g' | format(var('vip_top_share') * 100) ~ ' % of buyers by what they kept, with at least '
        ~ var('vip_min_orders') ~ ' orders.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'offer',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 20,
}}) }}

{{ members(
    all=[among_best(share=var('vip_top_share')), ordered(at_least=var('vip_min_orders'))], context='buyer',
    reason='Among the best ' ~ '%g' | format(var('vip_top_share') * 100)
        ~ ' % of buyers by value: {value} after returns, over {orders}.',
    fields=['product', 'product_id', 'category', 'order_count', 'value', 'currency']
) }}
