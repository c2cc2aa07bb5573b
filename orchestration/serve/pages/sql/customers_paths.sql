-- How many people stand at each step of the path of their first persona, and of those how many still
-- have days to react; step 0 is before the first.
select persona, step, action, channel, after_days, if_reacts, if_reacts_step, if_not, if_not_step,
    customer_count, waiting_count
from marts.rpt_persona_paths
order by persona, persona_id, step
