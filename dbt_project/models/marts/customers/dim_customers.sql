{%- set rules = survivorship_rules() -%}
{%- set fields = ['first_name', 'last_name', 'country_code', 'region_code'] -%}
-- depends_on: {{ ref('survivorship_rules') }}
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

golden as (
    select
        customer_id,
        {%- for field in fields %}
        {{ surviving_value(field, rules) }} as {{ field }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('fct_customer_field_provenance') }}
    where is_winner and field in ({{ quoted(fields) }})
    group by customer_id
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
        golden.first_name,
        golden.last_name,
        addresses.email,
        addresses.email_evidence_grade,
        addresses.phone,
        golden.country_code,
        {{ region_in_country('golden.region_code', 'golden.country_code') }} as region,
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
    left join golden on people.customer_id = golden.customer_id
)

select * from final
