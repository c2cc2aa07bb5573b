{{ config(meta={'segment': {
    'label': 'Returning visitors',
    'description': 'Two or more visits, the last one in the last ' ~ var('first_time_visitor_days')
        ~ ' days, and no order.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 91, 'window_days': var('first_time_visitor_days'),
}}) }}

{{ members(
    all=[visited(at_least=2), last_visit(within_days=var('first_time_visitor_days'))], none=[ordered()],
    context='visitor', reason='{visits}, the last one {last_visit_on}; no order so far.'
) }}
