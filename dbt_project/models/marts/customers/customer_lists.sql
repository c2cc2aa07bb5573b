with memberships as (
    select
        *,
        left_at is null as is_member
    from {{ ref('int_list_memberships') }}
    where customer_id is not null
)

select
    customer_id,
    list_source,
    list_id,
    list_name,
    is_member,
    joined_at,
    left_at
from memberships
-- Of several profiles of one person, one that is on the list still
qualify row_number() over (
    partition by customer_id, list_source, list_id
    order by is_member desc, joined_at desc nulls last, list_membership_id
) = 1
