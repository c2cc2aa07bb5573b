-- Who is in a segment now is who its table lists, with one stay each; the stays of a person never overlap; an end has its
-- reason, and nobody leaves before joining.
with members as (
    {{ all_segment_members() }}
),

current_stays as (
    select
        segment,
        customer_id,
        count(*) as stay_count
    from {{ ref('fct_segment_memberships') }}
    where is_current
    group by segment, customer_id
)

select
    coalesce(members.segment, current_stays.segment) as segment,
    coalesce(members.customer_id, current_stays.customer_id) as customer_id
from members
full outer join current_stays
    on members.segment = current_stays.segment and members.customer_id = current_stays.customer_id
where
    members.customer_id is null
    or current_stays.customer_id is null
    or current_stays.stay_count > 1
union all
select
    segment,
    customer_id
from {{ ref('fct_segment_memberships') }}
where
    exited_at < entered_at
    or entered_at > {{ as_of() }}
    or exited_at > {{ as_of() }}
    or left_at < exited_at
    or (left_at is not null and exited_at is null)
    or (exit_reason is not null and exited_at is null)
    or (goal is not null and exit_reason <> 'goal_reached')
union all
select
    segment,
    customer_id
from {{ ref('fct_segment_memberships') }}
qualify entered_at < max(coalesce(exited_at, {{ as_of() }})) over (
    partition by segment, customer_id
    order by entered_at
    rows between unbounded preceding and 1 preceding
)
