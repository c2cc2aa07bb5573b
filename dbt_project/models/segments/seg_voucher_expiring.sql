{{ config(meta={'segment': {
    'label': 'Voucher expiring',
    'description': 'Has a voucher of their own that ends within 7 days.',
    'channel': 'email', 'purpose': 'marketing', 'message_kind': 'reminder', 'plain_context': {},
    'destinations': ['file'], 'priority': 22,
}}) }}

{{ members(
    all=[has_voucher(expires_within_days=7)], context='voucher', reason='Has not used {offer}, {until}.'
) }}
