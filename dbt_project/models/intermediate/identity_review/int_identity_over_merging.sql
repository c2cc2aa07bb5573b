{#- Signs that one customer may be several people, in counts alone. -#}
{%- set limits = var('review_max_identifiers') %}

with identifiers as (
    select *
    from {{ ref('int_customer_identifiers') }}
    where customer_id is not null
),

counted as (
    select
        customer_id,
        identifier_type,
        count(*) as identifier_count
    from identifiers
    group by customer_id, identifier_type
    having count(*) > 1
),

names as (
    select
        identifiers.customer_id,
        greatest(count(distinct facts.fact), max(facts.fact_count)) as name_count
    from {{ ref('int_identity_core_facts') }} as facts
    inner join identifiers on facts.core = identifiers.identifier_key
    where facts.fact_type = 'full_name'
    group by identifiers.customer_id
),

birthdays as (
    select
        customer_id,
        count(distinct birthday) as birthday_count
    from {{ ref('int_contacts_resolved') }}
    where customer_id is not null and birthday is not null
    group by customer_id
),

countries as (
    select
        customer_id,
        count(distinct country_code) as country_count
    from {{ ref('int_orders_resolved') }}
    where customer_id is not null and country_code is not null and not is_test
    group by customer_id
),

chains as (
    select
        component_customers.customer_id,
        chains.account_part_count,
        chains.weak_link_count,
        chains.hangs_by_one
    from {{ ref('int_identity_weak_chains') }} as chains
    inner join {{ ref('int_component_customers') }} as component_customers
        on chains.component = component_customers.component and component_customers.is_current
)

select
    customer_id,
    'conflicting_names' as signal,
    case when name_count > 2 then 5 else 4 end as score,
    concat_ws('', cast(name_count as {{ dbt.type_string() }}), ' full names') as detail
from names
where name_count > 1
union all
select
    customer_id,
    'conflicting_birthdays' as signal,
    5 as score,
    concat_ws('', cast(birthday_count as {{ dbt.type_string() }}), ' birthdays') as detail
from birthdays
where birthday_count > 1
union all
select
    customer_id,
    'two_logins' as signal,
    case when identifier_count > 2 then 4 else 3 end as score,
    concat_ws('', cast(identifier_count as {{ dbt.type_string() }}), ' logins') as detail
from counted
where identifier_type = 'login'
union all
select
    customer_id,
    'weak_chain' as signal,
    case when hangs_by_one then 4 else 2 end as score,
    concat_ws(
        '', cast(account_part_count as {{ dbt.type_string() }}), ' parts with accounts, weak links: ',
        cast(weak_link_count as {{ dbt.type_string() }})
    ) as detail
from chains
union all
select
    customer_id,
    'several_countries' as signal,
    case when country_count > 2 then 3 else 1 end as score,
    concat_ws('', cast(country_count as {{ dbt.type_string() }}), ' countries') as detail
from countries
where country_count > 1
{%- for type, limit in limits.items() %}
union all
select
    customer_id,
    'too_many_{{ type }}' as signal,
    case when identifier_count > {{ 2 * limit }} then 4 else 2 end as score,
    concat_ws('', cast(identifier_count as {{ dbt.type_string() }}), ' of at most {{ limit }}') as detail
from counted
where identifier_type = '{{ type }}' and identifier_count > {{ limit }}
{%- endfor %}
