{{ config(materialized='ephemeral') }}

{#- Each person tied to the first who shares the value: as good as all pairs, and never more than people. -#}
select
    first_component as key_a,
    component as key_b
from (
    select
        component,
        min(component) over (partition by basis, shared_value) as first_component
    from {{ ref('int_household_ties') }}
    where refusal_reason is null
) as tied
where first_component < component
