-- Every resolved person is in the customer tables, once.
{%- for model in ['dim_customers', 'customer_360'] %}
select
    '{{ model }}' as model,
    coalesce(people.customer_id, customers.customer_id) as customer_id
from {{ ref('int_customers') }} as people
full outer join {{ ref(model) }} as customers on people.customer_id = customers.customer_id
where people.customer_id is null or customers.customer_id is null
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
