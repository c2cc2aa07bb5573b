with aliases as (
    select * from {{ ref('customer_aliases') }}
),

final as (
    select
        deliveries.delivery_id,
        deliveries.sync_run_id,
        coalesce(aliases.customer_id, deliveries.customer_id) as customer_id,
        deliveries.customer_id as delivered_customer_id,
        deliveries.segment,
        deliveries.destination,
        deliveries.operation,
        deliveries.channel,
        deliveries.purpose,
        deliveries.consent_receipt_id,
        deliveries.content_hash,
        deliveries.outcome,
        deliveries.delivered_at
    from {{ ref('stg_ops__deliveries') }} as deliveries
    left join aliases on deliveries.customer_id = aliases.alias_id
)

select * from final
