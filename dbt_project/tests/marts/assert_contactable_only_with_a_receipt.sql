-- Permission is data: no yes without a granted, unexpired receipt of our own log and an
-- address to use.
select
    contactability.customer_id,
    contactability.channel,
    contactability.purpose
from {{ ref('contactability') }} as contactability
left join {{ ref('stg_ops__consent_events') }} as receipts
    on contactability.consent_receipt_id = receipts.consent_event_id
where
    contactability.is_contactable
    and (
        receipts.consent_event_id is null
        or receipts.status <> 'granted'
        or receipts.channel <> contactability.channel
        or receipts.purpose <> contactability.purpose
        or receipts.expires_at <= {{ as_of() }}
        or receipts.occurred_at > {{ as_of() }}
        or contactability.reason <> 'granted'
        or contactability.address is null
    )
