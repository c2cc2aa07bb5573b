with identifiers as (
    select * from {{ ref('int_customer_identifiers') }}
    where customer_id is null and (is_blocked or is_shared)
),

orders_of_nobody as (
    select
        customers.refused_identifier_type as identifier_type,
        customers.refused_identifier_value as identifier_value,
        count(*) as order_count,
        {{ money('sum(orders.net_sales_shop)') }} as net_sales
    from {{ ref('int_order_customers') }} as customers
    inner join {{ ref('int_orders_resolved') }} as orders
        on customers.order_id = orders.order_id and customers.order_source = orders.order_source
    where orders.is_kept and customers.refused_identifier_type is not null
    group by customers.refused_identifier_type, customers.refused_identifier_value
),

final as (
    select
        identifiers.identifier_type,
        identifiers.identifier_value,
        coalesce(
            identifiers.block_reason,
            {{ share_refusal('identifiers.identifier_type', 'identifiers.share_reason') }}
        ) as reason,
        identifiers.is_blocked,
        identifiers.observation_count,
        identifiers.first_seen_at,
        identifiers.last_seen_at,
        coalesce(orders_of_nobody.order_count, 0) as order_count,
        coalesce(orders_of_nobody.net_sales, 0) as net_sales
    from identifiers
    left join orders_of_nobody
        on
            identifiers.identifier_type = orders_of_nobody.identifier_type
            and identifiers.identifier_value = orders_of_nobody.identifier_value
)

select * from final
