{{ config(meta={'segment': {
    'label': 'First-time visitors',
    'description': 'One visit so far, in the last ' ~ var('first_time_visitor_days')
        ~ ' days, and no order: show them around.',
    'channel': 'onsite',
    'purpose': 'personalisation',
    'message_kind': 'welcome',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 90,
    'window_days': var('first_time_visitor_days'),
}}) }}

{{ members(
    all=[visited(exactly=1), last_visit(within_days=var('first_time_visitor_days'))], none=[ordered()],
    context='first_visit', reason='First visit {came}, {viewed}.'
) }}
