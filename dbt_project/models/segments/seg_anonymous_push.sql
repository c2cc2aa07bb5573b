{{ config(meta={'segment': {
    'label': 'Anonymous push audience',
    'description': 'May be reached by push messages, and the shop does not know who they are.',
    'channel': 'push', 'purpose': 'marketing', 'message_kind': 'recommendation', 'plain_context': {},
    'destinations': ['file'], 'priority': 76, 'may_be_everybody': True,
}}) }}

{{ members(
    all=[contactable(channel='push')], none=[is_known()], context='visitor',
    fields=['visit_count', 'product_view_count'], reason='Permits push messages, and is not known by name.'
) }}
