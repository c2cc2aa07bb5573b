{#- Who lives with whom: people (their components) in place of identifiers, which nothing here merges. -#}
-- Each person has an edge to the first who shares the value: as good as all pairs, and never more than people
with edges as (
    select
        first_component as key_a,
        component as key_b
    from (
        select
            component,
            min(component) over (partition by basis, shared_value) as first_component
        from {{ ref('int_household_ties') }}
        where refusal_reason is null
    ) as shared
    where first_component < component
),

households as (
    {{ connected_components('edges') | indent(4) }}
)

select
    node,
    component
from households
