select
    cast(null as varchar) as identifier_type,
    cast(null as varchar) as identifier_value,
    cast(null as varchar) as customer_id,
    cast(null as timestamp) as registered_at
where false
