-- Each persona of the shop's files: the conditions, how many people are of it and of how many it
-- is the first, what moves them, what they read and are offered.
select p.persona, p.needs, p.fears, p.cares_about, p.tastes, p.content, p.offers, p.problem,
    min(a.reason) as conditions, count(a.customer_id) as people,
    count(a.customer_id) filter (where a.is_first) as first_of
from marts.dim_personas as p
left join marts.persona_assignments as a using (persona_id)
group by all
order by people desc, p.persona
