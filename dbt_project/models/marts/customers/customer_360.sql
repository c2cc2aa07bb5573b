{#- The wide view: int_customer_profiles with the segments that each person is in now. -#}
with memberships as (
    select
        customer_id,
        count(*) as segment_count,
        {{ text_list('segment') }} as segments
    from {{ ref('fct_segment_memberships') }}
    where is_current
    group by customer_id
)

select
    profiles.*,
    memberships.segments,
    coalesce(memberships.segment_count, 0) as segment_count
from {{ ref('int_customer_profiles') }} as profiles
left join memberships on profiles.customer_id = memberships.customer_id
