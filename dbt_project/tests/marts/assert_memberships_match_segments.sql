-- Who is in a segment now is who its table lists; one open stay each; nobody leaves before joining.
with members as (
    {{ all_segment_members() }}
),

open_stays as (
    select
        segment,
        customer_id,
        count(*) as stay_count
    from {{ ref('fct_segment_memberships') }}
    where is_current
    group by segment, customer_id
)

select
    coalesce(members.segment, open_stays.segment) as segment,
    coalesce(members.customer_id, open_stays.customer_id) as customer_id
from members
full outer join open_stays
    on members.segment = open_stays.segment and members.customer_id = open_stays.customer_id
where
    members.customer_id is null
    or open_stays.customer_id is null
    or open_stays.stay_count > 1
union all
select
    segment,
    customer_id
from {{ ref('fct_segment_memberships') }}
where exited_at < entered_at or entered_at > {{ as_of() }} or exited_at > {{ as_of() }}
