{{ config(meta={'segment': {
    'label': 'Lookalike seed',
    'description': 'The best ' ~ '%g' | format(var('lookalike_top_share') * 100)
        ~ ' % of buyers by what they kept, with two orders or more: to find people like them.',
    'channel': 'ads', 'purpose': 'ads', 'message_kind': 'offer', 'plain_context': {},
    'destinations': ['file'], 'priority': 98,
}}) }}

{{ members(
    all=[among_best(share=var('lookalike_top_share')), ordered(at_least=2)],
    reason='Among the best buyers by value.'
) }}
