{{ config(meta={'segment': {
    'label': 'High intent',
    'description': 'Opened or clicked an email, then viewed products, all within ' ~ var('high_intent_window_days')
        ~ ' days; no order since.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'offer',
    'plain_context': {},
    'exit_on': ['order_placed'],
    'destinations': ['file'],
    'priority': 16,
    'window_days': var('high_intent_window_days'),
}}) }}

{{ members(
    all=[viewed_after_email()], context='email_then_views',
    reason='{touched} an email, then viewed {products}, last {product} {viewed_on}; no order since.'
) }}
