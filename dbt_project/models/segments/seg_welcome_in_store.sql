{{ config(meta={'segment': {
    'label': 'Welcome from the store',
    'description': 'Signed up for email in a store in the last ' ~ var('new_subscriber_days')
        ~ ' days: a thank-you for the visit, and what the site has.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'welcome', 'plain_context': {},
    'destinations': ['file'], 'priority': 46, 'window_days': var('new_subscriber_days'),
}}) }}

{{ members(
    all=[signed_up(within_days=var('new_subscriber_days'), source=var('store_sign_up_sources'))],
    context='sign_up', reason='Signed up for email {signed_up}, {orders}.'
) }}
