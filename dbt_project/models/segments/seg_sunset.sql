{{ config(meta={'segment': {
    'label': 'Sunset',
    'description': 'Five emails or more in ' ~ var('sunset_days')
        ~ ' days, and neither order, visit, click nor sign-up: ask once, then let go.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'win_back', 'plain_context': {},
    'destinations': ['file'], 'priority': 80,
}}) }}

{{ members(
    all=[got_message(channel='email', at_least=5, within_days=var('sunset_days'))],
    none=[
        last_order(within_days=var('sunset_days')), last_visit(within_days=var('sunset_days')),
        clicked_message(within_days=var('sunset_days')), signed_up(within_days=var('sunset_days')),
    ], context='buyer', fields=['order_count', 'last_ordered_on'], reason='Neither order, visit nor click for long.'
) }}
