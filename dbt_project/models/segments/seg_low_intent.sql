{{ config(meta={'segment': {
    'label': 'Low intent',
    'description': 'Visited or clicked in the last 30 days and did no more; a chance of an order below '
        ~ '%g' | format(var('low_intent_below') * 100) ~ ' % where one is proven.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'newsletter', 'plain_context': {},
    'destinations': ['file'], 'priority': 66, 'window_days': 30,
}}) }}

{{ members(
    all=[is_known(), strongest_signal(kind=['visited', 'clicked'])], none=[intent(at_least=var('low_intent_below'))],
    context='visitor', reason='Looked in and did no more; {visits} so far.', fields=['visit_count', 'visited_at']
) }}
