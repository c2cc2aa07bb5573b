{{ config(meta={'segment': {
    'label': 'Search without result',
    'description': 'Searched and found nothing in the last ' ~ var('abandoned_max_days') ~ ' days, and looked at no product since.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 19, 'window_days': var('abandoned_max_days'),
}}) }}

{{ members(
    all=[is_known(), searched_in_vain()], context='search',
    reason='Searched {searched_on} and found nothing.'
) }}
