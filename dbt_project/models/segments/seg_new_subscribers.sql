{{ config(meta={'segment': {
    'label': 'New subscribers',
    'description': 'Signed up for email in the last ' ~ var('new_subscriber_days') ~ ' days: welcome them.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'welcome',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 50,
    'window_days': var('new_subscriber_days'),
}}) }}

{{ members(
    all=[signed_up(within_days=var('new_subscriber_days'))],
    context='sign_up', reason='Signed up for email {signed_up}, {orders}.'
) }}
