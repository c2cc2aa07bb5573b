{%- set rules = survivorship_rules() -%}
{%- set fields = [
    'birthday', 'gender', 'job', 'postcode', 'timezone', 'loyalty_id', 'loyalty_tier', 'accepts_marketing',
] -%}
-- depends_on: {{ ref('survivorship_rules') }}
with people as (
    select distinct customer_id
    from {{ ref('int_contacts_resolved') }}
    where customer_id is not null
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
        coalesce(people.customer_id, golden.customer_id) as customer_id,
        {%- for field in fields %}
        golden.{{ field }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from people
    full outer join golden on people.customer_id = golden.customer_id
)

select * from final
