{{ config(meta={'segment': {
    'label': 'Refer a friend',
    'description': 'In the stage advocacy, referred nobody in the last year, and has no open case.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'offer', 'plain_context': {},
    'exit_on': ['referral'], 'destinations': ['file'], 'priority': 42, 'cooldown_days': 90,
}}) }}

{{ members(
    all=[in_stage(of='advocacy')], none=[did(what='referral', within_days=365), open_case()],
    context='buyer', fields=['product', 'product_id', 'category', 'order_count'], reason='{orders}, and no referral in a year.'
) }}
