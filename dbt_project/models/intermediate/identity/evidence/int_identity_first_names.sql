{#- What people of this shop are called: first names that stand before two last names or more. -#}
with full_names as (
    select distinct full_name
    from {{ ref('int_person_names') }}
    where full_name is not null
)

select split_part(full_name, ' ', 1) as first_name
from full_names
group by 1
having count(*) > 1
