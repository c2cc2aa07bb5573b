"""The pretend shop's tests of its letters, as whoever ran them tells them: who was in which group.

Data flow: tables of a block -> experiments/, truth/experiments.
Does not belong here: drawing the groups and what a letter causes (mailing).
"""

from __future__ import annotations

# A person is named by the address under which they first stood in the list.
ASSIGNMENTS = """
select a.experiment as experiment_id, 'email' as identifier_type, e.value as identifier_value,
    if(a.is_treated, 'treatment', 'holdout') as "group", iso(a.assigned_at) as assigned_at
from assignments a
join (select person, arg_min(email, (since, email)) as email from subscriptions group by person) s
    on s.person = a.person
join emails e on e.e = s.email
order by a.assigned_at, a.person
"""

# `lift` is the chance of a visit more for everybody who gets the letter; `extra_visits` came of it.
TRUTH = """
select c.experiment as experiment_id, c.campaign_id, c.lift,
    count(distinct x.person) filter (where x.is_treated = 1) as treatment,
    count(distinct x.person) filter (where x.is_treated = 0) as holdout,
    count(*) filter (where x.caused_visit_at > 0) as extra_visits
from campaigns c join exposures x on x.campaign = c.index
where c.experiment is not null
group by all order by all
"""

# Folder, query and the column with its moment, as in write_folders
DATED = (("experiments", ASSIGNMENTS, "assigned_at"),)
