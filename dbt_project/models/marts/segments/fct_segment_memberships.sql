with members as (
    {{ all_segment_members() }}
),

aliases as (
    select * from {{ ref('customer_aliases') }}
),

-- What earlier runs recorded, as it stood at this run's time, each person under today's id.
recorded as (
    select
        earlier.segment,
        coalesce(aliases.customer_id, earlier.customer_id) as customer_id,
        earlier.entered_at,
        case when earlier.exited_at <= {{ as_of() }} then earlier.exited_at end as exited_at
    from {{ ref('stg_ops__segment_memberships') }} as earlier
    left join aliases on earlier.customer_id = aliases.alias_id
    where earlier.entered_at <= {{ as_of() }}
),

-- Two ids that became one person may have had a stay each: the earlier start holds.
open_stays as (
    select
        segment,
        customer_id,
        min(entered_at) as entered_at
    from recorded
    where exited_at is null
    group by segment, customer_id
),

past_stays as (
    select
        recorded.segment,
        recorded.customer_id,
        recorded.entered_at,
        recorded.exited_at
    from recorded
    left join open_stays
        on
            recorded.segment = open_stays.segment
            and recorded.customer_id = open_stays.customer_id
            and recorded.entered_at >= open_stays.entered_at
    where recorded.exited_at is not null and open_stays.segment is null
),

current_stays as (
    select
        coalesce(members.segment, open_stays.segment) as segment,
        coalesce(members.customer_id, open_stays.customer_id) as customer_id,
        coalesce(open_stays.entered_at, {{ as_of() }}) as entered_at,
        case when members.segment is null then {{ as_of() }} end as exited_at
    from members
    full outer join open_stays
        on members.segment = open_stays.segment and members.customer_id = open_stays.customer_id
),

stays as (
    select * from past_stays
    union all
    select * from current_stays
),

-- Left and joined again at one and the same moment is one stay.
final as (
    select
        segment,
        customer_id,
        bool_or(exited_at is null) as is_current,
        entered_at,
        case when not bool_or(exited_at is null) then max(exited_at) end as exited_at
    from stays
    group by segment, customer_id, entered_at
)

select * from final
