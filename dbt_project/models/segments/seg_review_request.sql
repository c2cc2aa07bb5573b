{{ config(meta={'segment': {
    'label': 'Review request',
    'description': 'The last order more than 7 and at most 30 days ago, no review of 30 days, nothing sent back, no open case.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'exit_on': ['review'], 'destinations': ['file'], 'priority': 39, 'window_days': 30,
}}) }}

{{ members(
    all=[last_order(older_than_days=7, within_days=30)],
    none=[did(what=['review', 'product_reviewed', 'order_returned'], within_days=30), open_case()],
    context='last_purchase', reason='Ordered {products} {ordered_on}, and wrote no review.'
) }}
