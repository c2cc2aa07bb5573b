{#-
    Each member of a household with what ties them to it. A household is called after its first member, so
    its id stays while that member does. A group that chains of shared values made too large for a home is
    none, and says so.
-#}
with members as (
    select
        households.component as household,
        households.node as component,
        component_customers.customer_id,
        customers.first_seen_at,
        count(*) over (partition by households.component) as member_count,
        row_number() over (
            partition by households.component order by customers.first_seen_at, component_customers.customer_id
        ) as place
    from {{ ref('int_household_components') }} as households
    inner join {{ ref('int_component_customers') }} as component_customers
        on households.node = component_customers.component and component_customers.is_current
    inner join {{ ref('int_customers') }} as customers
        on component_customers.customer_id = customers.customer_id
),

names as (
    select
        household,
        {{ hash_key(['customer_id', "'household'"]) }} as household_id
    from members
    where place = 1
),

evidence as (
    select
        component,
        {%- for basis in household_bases() %}
        max(case when basis = '{{ basis }}' then people_count - 1 else 0 end) as {{ basis }}_others{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_household_ties') }}
    where refusal_reason is null
    group by component
)

select
    members.customer_id,
    case
        when members.member_count <= {{ var('household_max_members') }} then names.household_id
    end as household_id,
    case
        when members.member_count > {{ var('household_max_members') }} then 'too_many_people'
    end as refusal_reason,
    members.household as group_number,
    members.first_seen_at,
    case
        {%- for basis in household_bases() %}
        when evidence.{{ basis }}_others > 0 then '{{ basis }}'
        {%- endfor %}
    end as basis,
    concat_ws(
        ', '
        {%- for basis in household_bases() %},
        case
            when evidence.{{ basis }}_others > 0
                then concat_ws('', '{{ basis }} shared with ', cast(evidence.{{ basis }}_others as {{ dbt.type_string() }}))
        end
        {%- endfor %}
    ) as evidence
from members
inner join names on members.household = names.household
inner join evidence on members.component = evidence.component
