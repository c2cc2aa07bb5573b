with component_customers as (
    select *
    from {{ ref('int_component_customers') }}
),

known_aliases as (
    select *
    from {{ ref('stg_ops__customer_aliases') }}
),

new_aliases as (
    select
        former.customer_id as alias_id,
        survivors.customer_id
    from component_customers as former
    inner join component_customers as survivors
        on former.component = survivors.component and survivors.is_current
    where not former.is_current
)

select
    alias_id,
    customer_id,
    {{ as_of() }} as merged_at
from new_aliases
union all
select
    known_aliases.alias_id,
    coalesce(new_aliases.customer_id, known_aliases.customer_id) as customer_id,
    known_aliases.merged_at
from known_aliases
left join new_aliases on known_aliases.customer_id = new_aliases.alias_id
where
    -- An id that a split brought back to life is nobody's alias
    known_aliases.alias_id not in (select customer_id from component_customers)
