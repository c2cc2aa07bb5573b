{{ config(meta={'segment': {
    'label': 'Retargeting',
    'description': 'Looked at a product or put it in the cart in the last ' ~ var('abandoned_max_days')
        ~ ' days, and has not ordered since: for ads.',
    'channel': 'ads',
    'purpose': 'ads',
    'message_kind': 'reminder',
    'plain_context': {},
    'exit_on': ['order_placed'],
    'destinations': ['meta_ads', 'google_ads'],
    'priority': 95,
    'window_days': var('abandoned_max_days'),
}}) }}

{{ members(
    all=[is_known(), abandoned(what='browse_or_cart')],
    context='last_step', reason='{step} {seen_on} and has not ordered since.'
) }}
