-- Pairs of identifiers seen together that were not allowed to join two people, by reason.
select coalesce(refusal_reason, 'other') as reason, count(*) as edges
from marts.fct_identity_edges
where status = 'refused'
group by all
order by edges desc, reason
