"""The truth about the pretend shop, as Parquet: who is who, who is worth what, who said yes.

Data flow: tables of a block -> truth/{people,identifiers,orders,consents,campaigns,exposures,
traffic,volumes}/part-BBB.parquet
Only the scorecard, tests and benchmarks may read it; nothing in the data refers to it.
"""

from __future__ import annotations

from pathlib import Path

from ingestion.demo import catalogue
from ingestion.demo.tables import Connection, copy_table
from ingestion.demo.world import World

_PLACEHOLDERS = ", ".join(f"'{phone}'" for phone in catalogue.PLACEHOLDER_PHONES)
_SIGHTINGS = f"""
create or replace temp table sightings as
with web as (
    select v.*, d.value as device, d.role from visits v join devices d on d.d = v.device
        where v.person >= 0
)
select s.person, 'email' as identifier_type, e.value as identifier_value, e.role, false as is_shared
from (
    select person, email from orders where email >= 0 and not is_test
    union all select person, email from subscriptions
    union all select person, email from contacts where email >= 0
    union all select person, email from consents where email >= 0
    union all select person, email from visits where email >= 0 and person >= 0
) s join emails e on e.e = s.email where e.role <> 'office'
union all
select o.person, 'email', e.value, 'office', true
from orders o join emails e on e.e = o.email where e.role = 'office' and not o.is_test
union all
select person, 'email', '{catalogue.PLACEHOLDER_EMAIL}', 'placeholder', true from orders
    where email = -2
union all
select s.person, 'phone', h.value, 'phone', false
from (
    select person, phone from orders where phone >= 0 and not is_test
    union all select person, phone from contacts where phone >= 0
    union all select person, phone from consents where phone >= 0
) s join phones h on h.k = s.phone
union all
select person, 'phone', ([{_PLACEHOLDERS}])[(number % 3 + 1)::integer], 'placeholder', true
from orders where phone = -2
union all
select v.person, 'login', l.value, 'login', false from web v join logins l on l.k = v.login
union all
select v.person, 'device', v.device, v.role, v.role in ('family', 'kiosk') from web v
union all
select o.person, 'payment_card', c.value,
    case when o.card = f.family_card then 'family' else 'personal' end, o.card = f.family_card
from orders o join cards c on c.k = o.card join people f on f.p = o.person where not o.is_test
union all
select p.p, 'loyalty_id', p.loyalty_id, 'loyalty', false
from contacts n join people p on p.p = n.person where n.has_loyalty = 1
union all
select o.person, 'orders_customer_id', p.till_number, 'till', false
from orders o join people p on p.p = o.person where o.shows_loyalty and p.till_number is not null
union all
select o.person, 'shopify_customer_id', e.shopify_customer_id::text, e.role, e.role = 'office'
from orders o join emails e on e.e = o.email where o.is_online and not o.is_test
union all
select distinct s.person, 'klaviyo_profile_id', e.klaviyo_id, e.role, e.role = 'office'
from (
    select person, email from subscriptions union all select person, email from messages
) s join emails e on e.e = s.email
"""

# What is wrong with an identifier, in the scorecard's words; the first that holds.
_IDENTIFIERS = """
with owners as (
    select identifier_type, identifier_value, count(distinct person) as people from sightings
        group by all
)
select p.person_id, p.household_id, s.identifier_type, s.identifier_value,
    case
        when s.role = 'placeholder' then 'placeholder'
        when s.role = 'office' then 'role_address'
        when s.role = 'kiosk' then 'shared_tablet'
        when s.role = 'family' then 'family'
        when s.identifier_type = 'phone' and o.people > 1 then 'recycled_phone'
        when s.role = 'typo' then 'typo'
        when s.role = 'newsletter' then 'dormant_address'
        when s.role = 'work' then 'second_address'
        when s.identifier_type = 'device' and d.devices > 1 then 'several_devices'
        else 'none'
    end as trouble,
    s.is_shared or o.people > 1 as is_shared,
    o.people as people_count
from (select distinct * from sightings) s
join people p on p.p = s.person
join owners o using (identifier_type, identifier_value)
left join (select person, count(distinct identifier_value) as devices from sightings
    where identifier_type = 'device' group by person) d on d.person = s.person
order by p.person_id, s.identifier_type, s.identifier_value
"""

_PEOPLE = """
select p.person_id, p.household_id, p.kind, p.first_name, p.last_name, p.country, p.interest,
    moment(p.joined) as joined_at, moment(p.left) as left_at,
        p.left >= getvariable('until') as is_active,
    p.order_rate * 365 as orders_per_year, p.latent_value, e.value as best_email,
    coalesce(o.order_count, 0) as order_count, coalesce(v.visit_count, 0) as visit_count
from people p
left join emails e on e.e = p.main_email
left join (select person, count(*) filter (where cancelled = 0 and not is_test) as order_count
    from orders group by person) o
    on o.person = p.p
left join (select person, count(*) as visit_count from visits group by person) v on v.person = p.p
order by p.p
"""

_ORDERS = """
select case when o.is_online then order_id(o.number)::text else 'S'
    || (200000 + o.number) end as order_id,
    case when not o.is_test then p.person_id end as person_id, moment(o.placed) as ordered_at,
        o.is_online, o.is_test,
    o.cancelled > 0 as is_cancelled, o.refunded > 0 as is_returned, u.name as currency
from orders o join people p on p.p = o.person join currencies u
    on u.code = o.currency order by o.number
"""

_CONSENTS = """
select p.person_id, coalesce(h.value, e.value) as identifier_value, ch.name as channel,
    case when ch.name = 'ads' then 'ads' else 'marketing' end as purpose,
    case when max_by(c.status, (c.occurred, c.c)) = 1 then 'denied'
        when max_by(c.status, (c.occurred, c.c)) = 2 then 'revoked'
        when max_by(c.expires, (c.occurred, c.c)) between 1 and getvariable('until') then 'expired'
        else 'granted' end as status
from consents c join people p on p.p = c.person join channels ch on ch.code = c.channel
left join emails e on e.e = c.email left join phones h on h.k = c.phone
group by all order by all
"""

_TABLES = {
    "people": _PEOPLE,
    "identifiers": _IDENTIFIERS,
    "orders": _ORDERS,
    "consents": _CONSENTS,
    "campaigns": """
        select campaign_id, name, moment(sent) as sent_at, lift from campaigns order by index""",
    "exposures": """
        select p.person_id, c.campaign_id, x.is_treated = 1 as is_treated,
            x.caused_visit_at > 0 as caused_visit
        from exposures x
        join people p on p.p = x.person
        join campaigns c on c.index = x.campaign
        order by all""",
    "traffic": """
        select value as device, role from devices
        where role in ('bot', 'internal', 'kiosk') order by value""",
    "volumes": """
        select 'web.events' as table_name, count(*) as delivered, count(distinct (visit,
            place)) as distinct_rows from events
        union all select 'shopify.orders', count(*), count(*) from orders where is_online
        union all select 'messages', count(*), count(*) from messages order by 1""",
}


def write_block_truth(con: Connection, world: World, folder: Path, block: int) -> None:
    """Write the block's truth."""
    con.execute(f"set variable until = {world.calendar.end}")
    con.execute(_SIGHTINGS)
    for name, query in _TABLES.items():
        copy_table(con, query, folder / name / f"part-{block:03d}.parquet")
