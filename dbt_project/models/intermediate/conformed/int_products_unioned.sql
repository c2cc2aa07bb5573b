select
    cast(null as varchar) as product_id,
    cast(null as varchar) as sku,
    cast(null as varchar) as product_name,
    cast(null as varchar) as category,
    cast(null as varchar) as brand,
    cast(null as decimal(18, 4)) as price,
    cast(null as decimal(18, 4)) as cost,
    cast(null as varchar) as currency,
    cast(null as bigint) as replenish_after_days,
    cast(null as boolean) as in_stock,
    cast(null as varchar) as substitute_group,
    cast(null as varchar) as product_source
where false
