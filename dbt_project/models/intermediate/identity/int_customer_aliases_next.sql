select
    cast(null as varchar) as alias_id,
    cast(null as varchar) as customer_id,
    cast(null as timestamp) as merged_at
where false
