-- Members of each segment at the moment of the build.
select segment, count(*) as people
from marts.fct_segment_memberships
where is_current
group by segment
order by segment
