-- The other segments that the members are in, the largest share first.
select o.other_segment, s.label, o.shared_count, o.member_count
from marts.rpt_segment_overlap as o
left join marts.dim_segments as s on s.segment = o.other_segment
where o.segment = $segment and o.shared_count > 0
order by o.shared_count desc, o.other_segment
limit 12
