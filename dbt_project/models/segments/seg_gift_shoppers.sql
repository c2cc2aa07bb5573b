{{ config(meta={'segment': {
    'label': 'Gift shoppers',
    'description': 'Bought a gift in the last 400 days, and an occasion is on or comes within ' ~ var('occasion_days')
        ~ ' days.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 26, 'window_days': var('occasion_days'),
}}) }}

{{ members(
    all=[ordered(gift=true, within_days=400), occasion(of=var('gift_occasions'), within_days=var('occasion_days'))],
    context='buyer', reason='Bought gifts before, and an occasion is near.', fields=['order_count', 'last_ordered_on']
) }}
