{{ config(severity='warn') }}
-- Whatever went out in the last seven days did so under an opt-in that had happened and had not run out then. A
-- warning: a store restored from an older backup knows deliveries whose opt-ins were erased since.
with receipts as (
    select * from {{ ref('stg_ops__consent_events') }}
    where status = 'granted'
)

select
    deliveries.delivery_id,
    deliveries.channel,
    deliveries.purpose
from {{ ref('stg_ops__deliveries') }} as deliveries
left join receipts
    on
        deliveries.consent_receipt_id = receipts.consent_event_id
        and deliveries.delivered_at >= receipts.occurred_at
        and (deliveries.delivered_at < receipts.expires_at or receipts.expires_at is null)
where
    deliveries.operation in ('added', 'updated')
    and deliveries.delivered_at >= {{ before_as_of(7, 'day') }}
    and receipts.consent_event_id is null
