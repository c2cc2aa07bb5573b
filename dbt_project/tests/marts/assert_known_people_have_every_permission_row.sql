-- Every known person has a row for each channel and purpose; an anonymous one only on push, on site
-- and for ads.
with people as (
    select
        customers.customer_id,
        customers.is_known,
        count(permissions.channel) as row_count,
        count(permissions.channel) filter (
            where permissions.channel not in ('push', 'onsite', 'ads')
        ) as addressed_count
    from {{ ref('dim_customers') }} as customers
    left join {{ ref('contactability') }} as permissions on customers.customer_id = permissions.customer_id
    group by customers.customer_id, customers.is_known
)

select customer_id from people
where
    case
        when is_known then row_count <> {{ contact_channels() | length * contact_purposes() | length }}
        else addressed_count > 0
    end
