"""How far the pretend shop may go in addressing a person: asked on every channel, and answered.

Data flow: tables of a block -> consents/levels/, truth/levels.
Does not belong here: whether somebody may be written to at all (permissions, write_programmes).

Whether, when and what somebody answers depends on nothing but the shop, the channel and the
address, so the later year repeats what was said before it.
"""

from __future__ import annotations

from ingestion.demo.calendar import DAY, HOUR
from ingestion.demo.identifiers import FAR_FUTURE
from ingestion.demo.tables import Connection
from ingestion.demo.world import World

# Per cent of those asked who answer, and of the answers
_ANSWER, _FULL, _SEGMENT = 60, 45, 35
_LESS, _MORE = 10, 10
_ASKED_AFTER, _ASKED_WITHIN = 30 * DAY, 90 * DAY
_MIND_CHANGED_AFTER = 90 * DAY

# Each address that may be reached on its channel, and from when until when.
_REACHED = f"""
select 'email' as channel, 'email' as kind, e.value, s.person, s.since, s.ended as until
from subscriptions s join emails e on e.e = s.email where not s.is_unproven and e.role <> 'office'
union all
select 'sms', 'phone', h.value, c.person, c.occurred, coalesce(n.ended, {FAR_FUTURE})
from consents c join phones h on h.k = c.phone
left join (
    select phone, min(occurred) as ended from consents where channel = 1 and status = 2 group by 1
) n using (phone)
where c.channel = 1 and c.status = 0
union all
select 'push', 'device', d.value, w.person, w.since, {FAR_FUTURE}
from push_permitted w join devices d on d.d = w.address where d.role = 'personal'
union all
select 'ads', 'email', e.value, c.person, c.occurred, {FAR_FUTURE}
from consents c join emails e on e.e = c.email where c.channel = 2 and c.status = 0
union all
select 'onsite', 'login', l.value, v.person, min(v.start), {FAR_FUTURE}
from visits v join logins l on l.k = v.login join devices d on d.d = v.device
where d.role = 'personal' group by all
"""

_ANSWERS = f"""
create or replace temp table level_answers as
with reached as (
    select *, greatest(since, getvariable('levels_from')) as since_then,
        md5_number_lower(concat_ws(':', seed(), 'level', channel, value)) as dice
    from ({_REACHED})
),
asked as (
    select *, (since_then + {_ASKED_AFTER} + dice % {_ASKED_WITHIN})::bigint as asked_at,
        dice // 1000 % 100 < {_ANSWER} as answers, dice // 100000 % 100 as choice,
        dice // 10000000 % 100 as second_choice
    from reached
),
answered as (
    select *, asked_at + {HOUR} + (dice // 1000000000 % {4 * DAY})::bigint as answered_at,
        case when choice < {_FULL} then 'full' when choice < {_FULL + _SEGMENT} then 'segment'
            else 'none' end as answer
    from asked
),
steps as (
    select *, 0 as step, asked_at as occurred, null as level from answered
    union all
    select *, 1, answered_at, answer from answered where answers
    union all
    select *, 2, answered_at + {_MIND_CHANGED_AFTER}, 'none'
    from answered where answers and answer <> 'none' and second_choice < {_LESS}
    union all
    select *, 2, answered_at + {_MIND_CHANGED_AFTER}, 'full'
    from answered
    where answers and answer = 'segment'
        and second_choice between {_LESS} and {_LESS + _MORE - 1}
)
select channel, kind, value, person, step, occurred, level
from steps where occurred < until and occurred < getvariable('levels_until')
"""

LEVELS = """
select kind as identifier_type, value as identifier_value, channel,
    'personalisation' as purpose, level,
    case when step = 0 then 'requested' when level = 'none' and step = 1 then 'denied'
        when level = 'none' then 'revoked' else 'granted' end as status,
    iso(occurred) as occurred_at,
    'preference_centre' as source,
    'v2' as wording_version,
    case when level <> 'none'
        then 'form-' || md5(concat_ws(':', seed(), channel, value, step))[1:12] end as proof,
    'consent' as lawful_basis
from level_answers
order by occurred, channel, value, step
"""

# Who was asked and never answered has no level.
TRUTH = """
select p.person_id, a.channel, a.value as identifier_value,
    arg_max(a.level, (a.occurred, a.step)) filter (where a.level is not null) as level
from level_answers a join people p on p.p = a.person
group by all order by all
"""

# Folder, query and the column with its moment, as in write_folders
DATED = (("consents/levels", LEVELS, "occurred_at"),)


def prepare(con: Connection, world: World, until: int | None = None) -> None:
    """Make the answers of the block's people; needs what write_programmes prepared."""
    con.execute(f"set variable levels_from = {world.calendar.start}")
    con.execute(f"set variable levels_until = {until or world.calendar.end}")
    con.execute(_ANSWERS)
