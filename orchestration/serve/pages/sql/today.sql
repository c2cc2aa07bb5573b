-- What the latest day's decision gives each segment on each channel: who gets it, who gets it later
-- and who does not, and why. What the site may show is no contact, so it is counted by itself.
with latest as (
    select customer_id, segment, channel, outcome, reason, rivals
    from activity.fct_contact_decisions
    where decided_for = (select max(decided_for) from activity.fct_contact_decisions)
),
rivals as (
    select unnest(from_json(
        rivals,
        '[{"segment": "VARCHAR", "channel": "VARCHAR", "outcome": "VARCHAR", "reason": "VARCHAR"}]'
    )) as wish
    from latest
),
wishes as (
    select segment, channel, outcome, reason, 1 as people from latest
    union all
    select wish.segment, wish.channel, wish.outcome, wish.reason, 1 from rivals
    union all
    select segment, 'onsite', outcome, reason, people from activity.rpt_onsite_contacts
)
select segment, channel, outcome, nullif(reason, '') as reason, sum(people)::bigint as people
from wishes
group by all
order by segment, channel, outcome, people desc, reason
