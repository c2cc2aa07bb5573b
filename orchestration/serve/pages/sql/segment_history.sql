-- How many members the segment had at the end of each of the last ninety days on which its stays
-- are recorded, and who entered and left on that day.
with stays as (
    select entered_at, exited_at from marts.fct_segment_memberships where segment = $segment
),
days as (
    select unnest(generate_series(
        greatest($as_of::date - 89, (select min(entered_at)::date from stays)),
        $as_of::date,
        interval 1 day
    )) as midnight
)
select d.midnight::date as day,
    count(s.entered_at) filter (
        where s.entered_at < d.midnight + interval 1 day
        and (s.exited_at is null or s.exited_at >= d.midnight + interval 1 day)
    ) as people,
    count(s.entered_at) filter (where s.entered_at::date = d.midnight::date) as entered,
    count(s.entered_at) filter (where s.exited_at::date = d.midnight::date) as left_it
from days as d
cross join stays as s
group by d.midnight
order by d.midnight
