{#-
    What people who live together share: the address of each one's last order, a card that bears several
    names, a device that is no kiosk. One shared value among more people than fit into a home ties nobody,
    and says why.
-#}
with people as (
    select
        component_customers.component,
        component_customers.customer_id
    from {{ ref('int_component_customers') }} as component_customers
    inner join {{ ref('int_customers') }} as customers
        on component_customers.customer_id = customers.customer_id
    where component_customers.is_current and customers.has_known_identifier
),

homes as (
    select
        order_customers.customer_id,
        {{ last_value_by_time('documents.home_address_key', 'documents.ordered_at') }} as shared_value
    from {{ ref('int_order_documents') }} as documents
    inner join {{ ref('int_order_customers') }} as order_customers
        on
            documents.order_id = order_customers.order_id
            and documents.order_source = order_customers.order_source
    where documents.home_address_key is not null and not documents.is_test
    group by order_customers.customer_id
),

shared as (
    select
        shared.identifier_key,
        identifiers.identifier_type
    from {{ ref('int_shared_identifiers') }} as shared
    inner join {{ ref('int_identifiers') }} as identifiers on shared.identifier_key = identifiers.identifier_key
    where
        identifiers.identifier_type in ('payment_card', 'device')
        and shared.share_reason in ('two_names', 'several_people', 'two_logins', 'two_accounts')
),

seen_with as (
    {%- for one, other in [('key_a', 'key_b'), ('key_b', 'key_a')] %}
    select
        shared.identifier_type as basis,
        shared.identifier_key,
        links.{{ other }} as other_key
    from {{ ref('int_identity_edges_observed') }} as links
    inner join shared on links.{{ one }} = shared.identifier_key
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ties as (
    select
        'address' as basis,
        homes.shared_value,
        people.component
    from homes
    inner join people on homes.customer_id = people.customer_id
    union all
    select distinct
        seen_with.basis,
        cast(seen_with.identifier_key as {{ dbt.type_string() }}) as shared_value,
        people.component
    from seen_with
    inner join {{ ref('int_identity_members') }} as members on seen_with.other_key = members.identifier_key
    inner join people on members.component = people.component
),

sized as (
    select
        *,
        count(*) over (partition by basis, shared_value) as people_count
    from ties
)

select
    basis,
    shared_value,
    component,
    people_count,
    case
        when basis = 'device' and people_count > {{ var('household_max_device_people') }} then 'kiosk'
        when people_count > {{ var('household_max_members') }} then 'too_many_people'
    end as refusal_reason
from sized
where people_count > 1
