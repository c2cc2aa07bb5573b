{{ config(meta={'segment': {
    'label': 'Replenishment due',
    'description': 'A product that they bought is soon used up, or was in the last 30 days.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 18,
}}) }}

{{ members(
    all=[due_again(within_days=30)], context='due_again',
    reason='Bought {product} {bought_on}, used up {due_on}.'
) }}
