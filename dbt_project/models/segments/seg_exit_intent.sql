{{ config(meta={'segment': {
    'label': 'Exit intent',
    'description': 'Was about to leave the site in the last day, by its event Exit Intent, and did not order.',
    'channel': 'onsite', 'purpose': 'personalisation', 'message_kind': 'offer', 'plain_context': {},
    'exit_on': ['order_placed'], 'destinations': ['file'], 'priority': 78, 'window_days': 1,
    'slots': {'overlay': 'before_you_go'},
}}) }}

{{ members(
    all=[did(what='exit_intent', within_days=1)], none=[did(what='order_placed', within_days=1)],
    context='visitor', reason='Was about to leave the site; {visits} so far.'
) }}
