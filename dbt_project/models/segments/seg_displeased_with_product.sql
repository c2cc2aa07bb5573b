{{ config(meta={'segment': {
    'label': 'Displeased with a product',
    'description': 'Was not pleased with a product that is used up now: another brand, with its promotion.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 21,
}}) }}

{{ members(
    all=[due_again(displeased=true)], none=[open_case()], context='other_brand',
    reason='{said} {product}, which is used up now; {other} is of another brand.'
) }}
