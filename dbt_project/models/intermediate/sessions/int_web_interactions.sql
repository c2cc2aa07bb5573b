{{ config(materialized='view') }}

select
    cast(null as varchar) as event_id,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as session_id,
    cast(null as varchar) as device_id,
    cast(null as timestamp) as occurred_at,
    cast(null as varchar) as event_name,
    cast(null as varchar) as product_id,
    cast(null as varchar) as sku,
    cast(null as varchar) as product_name,
    cast(null as varchar) as category,
    cast(null as varchar) as brand,
    cast(null as decimal(18, 4)) as price,
    cast(null as decimal(18, 4)) as quantity,
    cast(null as varchar) as order_id,
    cast(null as varchar) as cart_id,
    cast(null as varchar) as search_query,
    cast(null as varchar) as page_url
where false
