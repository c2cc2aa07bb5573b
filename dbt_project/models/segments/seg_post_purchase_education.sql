{{ config(meta={'segment': {
    'label': 'Post-purchase education',
    'description': 'The last order 2 to 14 days ago, and no open case: how to get the most out of what they bought.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'education', 'plain_context': {},
    'destinations': ['file'], 'priority': 38, 'window_days': 14,
}}) }}

{{ members(
    all=[last_order(older_than_days=2, within_days=14)], none=[open_case()], context='last_purchase',
    reason='Ordered {products} {ordered_on}: how to make the most of it.'
) }}
