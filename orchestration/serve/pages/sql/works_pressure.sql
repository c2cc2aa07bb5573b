-- How many people got how many marketing messages in the last week, beside the week in the middle of
-- the last ones. 0 counts who may be written to and was not.
with weeks as (
    select distinct week_ends_on from marts.rpt_contact_pressure
),
counts as (
    select distinct message_count, is_over_limit from marts.rpt_contact_pressure
),
people as (
    select weeks.week_ends_on, counts.message_count, counts.is_over_limit,
        coalesce(p.people, 0) as people, coalesce(p.several_channel_count, 0) as several
    from weeks
    cross join counts
    left join marts.rpt_contact_pressure as p
        on p.week_ends_on = weeks.week_ends_on and p.message_count = counts.message_count
)
select message_count, is_over_limit, max(week_ends_on) as week_ends_on,
    arg_max(people, week_ends_on) as last_week, arg_max(several, week_ends_on) as several_channels,
    quantile_disc(people, 0.5) as middle_week, max(people) as most, count(*) as weeks
from people
group by message_count, is_over_limit
order by message_count
