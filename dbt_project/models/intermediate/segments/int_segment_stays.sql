{#-
    Stays in segments, before they are published: earlier ones as the ops store has them, those that end or begin now.
    A person is listed while the segment's table has them; a goal or `not_after` may end the stay before that, and then
    they are listed without one until `cooldown_days` are over or they leave and come back.
-#}

with members as (
    {{ all_segment_members() }}
),

aliases as (
    select * from {{ ref('customer_aliases') }}
),

segments as (
    select
        segment,
        programme,
        not_after_minutes,
        cooldown_days
    from {{ ref('dim_segments') }}
),

goals as (
    {{ all_segment_goals() }}
),

merged_now as (
    select distinct customer_id
    from aliases
    where merged_at = {{ as_of() }}
),

-- What earlier runs recorded, as it stood at this run's time, each person under today's id.
recorded as (
    select
        earlier.segment,
        coalesce(aliases.customer_id, earlier.customer_id) as customer_id,
        earlier.customer_id as recorded_id,
        earlier.entered_at,
        earlier.programme,
        earlier.entry_reason,
        case when earlier.exited_at <= {{ as_of() }} then earlier.exited_at end as exited_at,
        case when earlier.exited_at <= {{ as_of() }} then earlier.exit_reason end as exit_reason,
        case when earlier.exited_at <= {{ as_of() }} then earlier.goal end as goal,
        case when earlier.left_at <= {{ as_of() }} then earlier.left_at end as left_at,
        coalesce(
            case when earlier.exited_at <= {{ as_of() }} then earlier.exited_at end, {{ as_of() }} + interval '1' day
        ) as ends_at
    from {{ ref('stg_ops__segment_memberships') }} as earlier
    left join aliases on earlier.customer_id = aliases.alias_id
    where earlier.entered_at <= {{ as_of() }}
),

-- Two ids that became one person may have had a stay each: what overlaps is one stay. Nobody else has any such.
with_reach as (
    select
        *,
        max(ends_at) over (
            partition by segment, customer_id
            order by entered_at, recorded_id
            rows between unbounded preceding and 1 preceding
        ) as reached_at,
        lag(entered_at) over (partition by segment, customer_id order by entered_at, recorded_id) as previous_entered_at
    from recorded
    where customer_id in (select customer_id from aliases)
),

numbered as (
    select
        *,
        sum(case when entered_at < reached_at or entered_at = previous_entered_at then 0 else 1 end) over (
            partition by segment, customer_id
            order by entered_at, recorded_id
            rows between unbounded preceding and current row
        ) as stay_number
    from with_reach
),

beginnings as (
    select *
    from numbered
    qualify row_number() over (
        partition by segment, customer_id, stay_number order by entered_at, recorded_id
    ) = 1
),

-- The part that lasted longest says how it ended
ends as (
    select
        *,
        bool_or(left_at is null) over (partition by segment, customer_id, stay_number) as is_unleft
    from numbered
    qualify row_number() over (
        partition by segment, customer_id, stay_number order by ends_at desc, entered_at desc, recorded_id
    ) = 1
),

earlier_stays as (
    select
        beginnings.segment,
        beginnings.customer_id,
        beginnings.entered_at,
        beginnings.programme,
        beginnings.entry_reason,
        ends.exited_at,
        ends.exit_reason,
        ends.goal,
        lead(beginnings.entered_at) over (
            partition by beginnings.segment, beginnings.customer_id order by beginnings.stay_number
        ) as next_entered_at,
        case when not ends.is_unleft then ends.left_at end as left_at
    from beginnings
    inner join ends
        on
            beginnings.segment = ends.segment
            and beginnings.customer_id = ends.customer_id
            and beginnings.stay_number = ends.stay_number
    union all
    select
        segment,
        customer_id,
        entered_at,
        programme,
        entry_reason,
        exited_at,
        exit_reason,
        goal,
        cast(null as timestamp) as next_entered_at,
        left_at
    from recorded
    where customer_id not in (select customer_id from aliases)
),

past_stays as (
    select
        segment,
        customer_id,
        entered_at,
        programme,
        entry_reason,
        exited_at,
        exit_reason,
        goal,
        coalesce(left_at, next_entered_at) as left_at
    from earlier_stays
    where left_at is not null or next_entered_at is not null
),

last_stays as (
    select
        earlier_stays.*,
        members.customer_id is not null as is_listed,
        segments.cooldown_days,
        earlier_stays.entered_at + segments.not_after_minutes * interval '1' minute as too_late_at
    from earlier_stays
    left join members
        on earlier_stays.segment = members.segment and earlier_stays.customer_id = members.customer_id
    left join segments on earlier_stays.segment = segments.segment
    where earlier_stays.left_at is null and earlier_stays.next_entered_at is null
),

-- The first goal after the entry; of several at one moment the first by name.
reached as (
    select
        last_stays.segment,
        last_stays.customer_id,
        goals.goal,
        interactions.occurred_at as reached_at
    from last_stays
    inner join goals on last_stays.segment = goals.segment
    inner join {{ ref('fct_interactions') }} as interactions
        on
            last_stays.customer_id = interactions.customer_id
            and goals.kind = interactions.kind
            and last_stays.entered_at < interactions.occurred_at
    where last_stays.exited_at is null and interactions.occurred_at <= {{ as_of() }}
    qualify row_number() over (
        partition by last_stays.segment, last_stays.customer_id order by interactions.occurred_at, goals.goal
    ) = 1
),

judged as (
    select
        last_stays.*,
        reached.goal as goal_now,
        reached.reached_at,
        case
            when last_stays.exited_at is not null then last_stays.exit_reason
            when reached.reached_at <= coalesce(last_stays.too_late_at, reached.reached_at) then 'goal_reached'
            when last_stays.too_late_at <= {{ as_of() }} then 'not_after'
            when last_stays.is_listed then null
            when merged_now.customer_id is not null then 'merged'
            else 'condition'
        end as exit_reason_now
    from last_stays
    left join reached
        on last_stays.segment = reached.segment and last_stays.customer_id = reached.customer_id
    left join merged_now on last_stays.customer_id = merged_now.customer_id
),

ended as (
    select
        segment,
        customer_id,
        entered_at,
        programme,
        entry_reason,
        case
            when exited_at is not null or exit_reason_now is null then exited_at
            when exit_reason_now = 'goal_reached' then reached_at
            when exit_reason_now = 'not_after' then too_late_at
            else {{ as_of() }}
        end as exited_at,
        exit_reason_now as exit_reason,
        case when exited_at is not null then goal when exit_reason_now = 'goal_reached' then goal_now end as goal,
        is_listed,
        cooldown_days
    from judged
),

-- When a goal or `not_after` last ended a stay: from then on the cooldown is counted.
closings as (
    select
        segment,
        customer_id,
        max(exited_at) as closed_at
    from (
        select
            segment,
            customer_id,
            exited_at,
            exit_reason
        from past_stays
        union all
        select
            segment,
            customer_id,
            exited_at,
            exit_reason
        from ended
    ) as closed
    where exit_reason in ('goal_reached', 'not_after')
    group by segment, customer_id
),

-- Whoever is still listed after the end enters again when the cooldown that the segment's file names is over.
rested as (
    select
        ended.*,
        ended.is_listed
        and ended.exited_at is not null
        and (
            -- Of two ids that became one person, one had left and the other had not
            coalesce(ended.exit_reason, 'condition') in ('condition', 'merged')
            or (
                ended.cooldown_days > 0
                and closings.closed_at + ended.cooldown_days * interval '1' day <= {{ as_of() }}
            )
        ) as enters_again
    from ended
    left join closings
        on ended.segment = closings.segment and ended.customer_id = closings.customer_id
),

entries as (
    select
        members.segment,
        members.customer_id,
        segments.programme,
        closings.closed_at + segments.cooldown_days * interval '1' day > {{ as_of() }} as is_too_soon
    from members
    left join rested
        on members.segment = rested.segment and members.customer_id = rested.customer_id
    left join segments on members.segment = segments.segment
    left join closings
        on members.segment = closings.segment and members.customer_id = closings.customer_id
    where rested.customer_id is null or rested.enters_again
),

stays as (
    select
        segment,
        customer_id,
        programme,
        entered_at,
        exited_at,
        left_at,
        entry_reason,
        exit_reason,
        goal,
        false as is_entry
    from past_stays
    union all
    select
        segment,
        customer_id,
        programme,
        entered_at,
        exited_at,
        case when enters_again or not is_listed then {{ as_of() }} end as left_at,
        entry_reason,
        exit_reason,
        goal,
        false as is_entry
    from rested
    union all
    select
        segment,
        customer_id,
        programme,
        {{ as_of() }} as entered_at,
        case when is_too_soon then {{ as_of() }} end as exited_at,
        cast(null as timestamp) as left_at,
        cast(null as {{ dbt.type_string() }}) as entry_reason,
        case when is_too_soon then 'cooldown' end as exit_reason,
        cast(null as {{ dbt.type_string() }}) as goal,
        true as is_entry
    from entries
),

-- Left and joined again at one and the same moment is one stay: the row of the entry stands for both.
final as (
    select
        stays.segment,
        stays.customer_id,
        stays.programme,
        stays.left_at is null as is_current,
        stays.entered_at,
        stays.exited_at,
        stays.left_at,
        stays.entry_reason,
        stays.exit_reason,
        stays.goal
    from stays
    left join entries
        on
            stays.segment = entries.segment
            and stays.customer_id = entries.customer_id
            and stays.entered_at = {{ as_of() }}
    where stays.is_entry or entries.customer_id is null
)

select * from final
