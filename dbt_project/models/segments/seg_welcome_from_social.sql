{{ config(meta={'segment': {
    'label': 'Welcome from social media',
    'description': 'Came first by social media, was here in the last ' ~ var('first_time_visitor_days')
        ~ ' days and never ordered.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'welcome', 'plain_context': {},
    'destinations': ['file'], 'priority': 68, 'window_days': var('first_time_visitor_days'),
    'landing_page': 'from_social', 'slots': {'hero': 'from_social'},
}}) }}

{{ members(
    all=[
        first_came_from(marketing_channel=['organic_social', 'paid_social']),
        last_visit(within_days=var('first_time_visitor_days')),
    ], none=[ordered()], context='visitor', reason='First came {came}; {visits}, no order so far.'
) }}
