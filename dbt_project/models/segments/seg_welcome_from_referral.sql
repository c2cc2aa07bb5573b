{{ config(meta={'segment': {
    'label': 'Welcome from other sites',
    'description': 'Came first by another site, was here in the last ' ~ var('first_time_visitor_days')
        ~ ' days and never ordered.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'welcome', 'plain_context': {},
    'destinations': ['file'], 'priority': 69, 'window_days': var('first_time_visitor_days'),
    'landing_page': 'from_referral', 'slots': {'hero': 'from_referral'},
}}) }}

{{ members(
    all=[
        first_came_from(marketing_channel=['referral', 'affiliate', 'display']),
        last_visit(within_days=var('first_time_visitor_days')),
    ], none=[ordered()], context='visitor', reason='First came {came}; {visits}, no order so far.'
) }}
