with members as (
    select * from {{ ref('bridge_customer_households') }}
),

customers as (
    select * from {{ ref('dim_customers') }}
),

final as (
    select
        members.household_id,
        count(*) as member_count,
        count(*) filter (where customers.order_count > 0) as buyer_count,
        {%- for basis in household_bases() %}
        bool_or(members.basis = '{{ basis }}') as is_by_{{ basis }},
        {%- endfor %}
        cast(sum(customers.order_count) as bigint) as order_count,
        case
            when count(*) = count(customers.lifetime_net_sales) then {{ money('sum(customers.lifetime_net_sales)') }}
        end as lifetime_net_sales,
        min(customers.lifetime_net_sales_issue) as lifetime_net_sales_issue,
        '{{ var("shop_currency") }}' as currency,
        min(customers.first_seen_at) as first_seen_at,
        max(customers.last_seen_at) as last_seen_at,
        min(customers.first_ordered_at) as first_ordered_at,
        max(customers.last_ordered_at) as last_ordered_at
    from members
    inner join customers on members.customer_id = customers.customer_id
    group by members.household_id
)

select * from final
