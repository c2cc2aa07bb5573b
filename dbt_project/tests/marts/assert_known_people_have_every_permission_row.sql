-- Every known person has a row for each channel and purpose; nobody else has any.
select coalesce(customers.customer_id, rows_of_people.customer_id) as customer_id
from (
    select customer_id from {{ ref('dim_customers') }}
    where is_known
) as customers
full outer join (
    select
        customer_id,
        count(*) as row_count
    from {{ ref('contactability') }}
    group by customer_id
) as rows_of_people on customers.customer_id = rows_of_people.customer_id
where
    customers.customer_id is null
    or coalesce(rows_of_people.row_count, 0) <> {{ contact_channels() | length * contact_purposes() | length }}
