with members as (
    select *
    from {{ ref('int_identity_members') }}
),

component_customers as (
    select *
    from {{ ref('int_component_customers') }}
    where is_current
),

people as (
    select
        component,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        count(*) as identifier_count,
        bool_or(identifier_type not in ({{ quoted(anonymous_identifier_types()) }})) as has_known_identifier
    from members
    group by component
),

previous_ids as (
    select
        customer_id,
        {{ json_array_agg_text('alias_id') }} as previous_customer_ids
    from {{ ref('int_customer_aliases_next') }}
    group by customer_id
)

select
    component_customers.customer_id,
    people.first_seen_at,
    people.last_seen_at,
    people.identifier_count,
    people.has_known_identifier,
    component_customers.is_newly_born,
    coalesce(previous_ids.previous_customer_ids, '[]') as previous_customer_ids
from people
inner join component_customers on people.component = component_customers.component
left join previous_ids on component_customers.customer_id = previous_ids.customer_id
