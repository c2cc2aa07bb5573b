{{ config(meta={'segment': {
    'label': 'Voucher unused',
    'description': 'Has a voucher of their own that they have not used for 14 days.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'destinations': ['file'], 'priority': 24,
}}) }}

{{ members(
    all=[has_voucher(unused_for_days=14)], none=[has_voucher(expires_within_days=7)],
    context='voucher', reason='Has not used {offer}, {until}.'
) }}
