-- Members who may be contacted on each channel for the segment's purpose, and who may not, and why.
select channels.channel, coalesce(c.is_contactable, false) as is_contactable,
    case when coalesce(c.is_contactable, false) then null else coalesce(c.reason, 'no_consent') end
        as reason,
    count(*) as people
from marts.fct_segment_memberships as m
cross join (select distinct channel from marts.contactability where purpose = $purpose) as channels
left join marts.contactability as c
    on c.customer_id = m.customer_id and c.channel = channels.channel and c.purpose = $purpose
where m.segment = $segment and m.is_current
group by all
order by channels.channel, is_contactable desc, people desc, reason
