{{ config(meta={'segment': {
    'label': 'Welcome by source',
    'description': 'Signed up for email anywhere but in a store in the last ' ~ var('new_subscriber_days')
        ~ ' days; the context says where.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'welcome', 'plain_context': {},
    'destinations': ['file'], 'priority': 48, 'window_days': var('new_subscriber_days'),
}}) }}

{{ members(
    all=[signed_up(within_days=var('new_subscriber_days'))], none=[signed_up(source=var('store_sign_up_sources'))],
    context='sign_up', reason='Signed up for email {signed_up}, {orders}.'
) }}
