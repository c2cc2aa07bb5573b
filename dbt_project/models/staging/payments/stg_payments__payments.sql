with latest as (
    {{ latest_versions(
        source('raw_payments', 'payments'),
        ['order_id', 'provider', 'fingerprint', 'paid_at'],
        where='paid_at <= ' ~ as_of() ~ ' or paid_at is null'
    ) | indent(4) }}
)

select
    order_id,
    lower(trim(provider)) as provider,
    nullif(trim(fingerprint), '') as payment_fingerprint,
    nullif(trim(billing_email), '') as billing_email,
    nullif(trim(billing_name), '') as billing_name,
    lower(trim(status)) as status,
    lower(trim(status)) in ('succeeded', 'success', 'paid', 'captured', 'settled') as is_successful,
    amount,
    upper(trim(currency)) as currency,
    paid_at,
    _row_id
from latest
