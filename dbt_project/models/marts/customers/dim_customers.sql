with people as (
    select * from {{ ref('int_customers') }}
),

identifiers as (
    select * from {{ ref('bridge_customer_identifiers') }}
    where is_primary
),

addresses as (
    select
        customer_id,
        max(case when identifier_type = 'email' then identifier_value end) as email,
        max(case when identifier_type = 'email' then evidence_grade end) as email_evidence_grade,
        max(case when identifier_type = 'phone' then identifier_value end) as phone
    from identifiers
    where identifier_type in ('email', 'phone')
    group by customer_id
),

sales as (
    select * from {{ ref('fct_customer_order_summary') }}
),

claims as (
    select
        customer_id,
        order_id as record_key,
        first_name,
        last_name,
        country_code,
        true as is_order,
        case when is_card_paid then 1 else 3 end as grade_rank,
        ordered_at as seen_at
    from {{ ref('int_orders_resolved') }}
    where customer_id is not null and not is_test
    union all
    select
        customer_id,
        contact_key as record_key,
        first_name,
        last_name,
        country_code,
        false as is_order,
        {{ grade_rank('evidence_grade') }} as grade_rank,
        coalesce(updated_at, created_at) as seen_at
    from {{ ref('int_contacts_resolved') }}
    where customer_id is not null
),

names as (
    select
        customer_id,
        first_name,
        last_name
    from claims
    where first_name is not null or last_name is not null
    qualify row_number() over (
        partition by customer_id
        order by
            grade_rank,
            case when first_name is not null and last_name is not null then 0 else 1 end,
            seen_at desc nulls last,
            record_key
    ) = 1
),

countries as (
    select
        customer_id,
        country_code
    from claims
    where country_code is not null
    qualify row_number() over (
        partition by customer_id
        order by case when is_order then 0 else 1 end, seen_at desc nulls last, record_key
    ) = 1
),

final as (
    select
        people.customer_id,
        case
            when sales.order_count > 0 then 'buyer'
            when people.has_known_identifier then 'prospect'
            else 'anonymous'
        end as customer_type,
        people.has_known_identifier as is_known,
        names.first_name,
        names.last_name,
        addresses.email,
        addresses.email_evidence_grade,
        addresses.phone,
        countries.country_code,
        people.identifier_count,
        coalesce(sales.order_count, 0) as order_count,
        case when sales.customer_id is null then cast(0 as decimal(18, 4)) else sales.lifetime_net_sales end
            as lifetime_net_sales,
        sales.lifetime_net_sales_issue,
        '{{ var("shop_currency") }}' as currency,
        people.first_seen_at,
        people.last_seen_at,
        sales.first_ordered_at,
        sales.last_ordered_at
    from people
    left join addresses on people.customer_id = addresses.customer_id
    left join sales on people.customer_id = sales.customer_id
    left join names on people.customer_id = names.customer_id
    left join countries on people.customer_id = countries.customer_id
)

select * from final
