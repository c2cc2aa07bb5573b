select
    cast(null as varchar) as feedback_key,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as kind,
    cast(null as decimal(18, 4)) as score,
    cast(null as varchar) as product_id,
    cast(null as timestamp) as occurred_at,
    cast(null as varchar) as source
where false
