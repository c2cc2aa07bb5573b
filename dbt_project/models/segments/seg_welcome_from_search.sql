{{ config(meta={'segment': {
    'label': 'Welcome from search',
    'description': 'Came first by a search, was here in the last ' ~ var('first_time_visitor_days')
        ~ ' days and never ordered.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'welcome', 'plain_context': {},
    'destinations': ['file'], 'priority': 77, 'window_days': var('first_time_visitor_days'),
    'landing_page': 'from_search', 'slots': {'hero': 'from_search'},
}}) }}

{{ members(
    all=[
        first_came_from(marketing_channel=['organic_search', 'paid_search']),
        last_visit(within_days=var('first_time_visitor_days')),
    ], none=[ordered()], context='visitor', reason='First came {came}; {visits}, no order so far.'
) }}
