{{ config(meta={'segment': {
    'label': 'VIP by frequency',
    'description': 'The best ' ~ '%g' | format(var('vip_top_share') * 100)
        ~ ' % of buyers by number of orders, or a VIP tier of the loyalty programme.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 27,
}}) }}

{{ members(
    all=[ordered()], any=[
        all_of(ordered(at_least=var('vip_min_orders')), among_best(by='orders', share=var('vip_top_share'))),
        trait(name='loyalty_tier', value=var('vip_loyalty_tiers')),
    ], context='buyer', fields=['product', 'product_id', 'category', 'order_count', 'value', 'currency']
) }}
