{{ config(meta={'segment': {
    'label': 'Just bought',
    'description': 'Bought something in the last ' ~ var('just_bought_days')
        ~ ' days: to leave out of ads for it and its substitutes.',
    'channel': 'ads', 'purpose': 'ads', 'message_kind': 'reminder', 'is_exclusion': True, 'plain_context': {},
    'destinations': ['file'], 'priority': 96, 'window_days': var('just_bought_days'),
}}) }}

{{ members(
    all=[bought(within_days=var('just_bought_days'))], context='just_bought',
    reason='Ordered {products} {ordered_on}: no ads for it and what stands in for it.'
) }}
