"""The truth about the pretend shop, as Parquet: who is who, who is worth what, who said yes.

Data flow: tables of a block -> truth/{people,identifiers,orders,consents,campaigns,exposures,
holdouts,experiments,brand_switches,cases,checkouts,gifts,programmes,levels,vouchers,personas,stores,
traffic,volumes}/part-BBB.parquet
Only the scorecard, tests and benchmarks may read it; nothing in the data refers to it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from ingestion.demo import (
    catalogue,
    write_checkouts,
    write_experiments,
    write_gifts,
    write_levels,
    write_offers,
    write_programmes,
    write_truth_choices,
    write_web,
)
from ingestion.demo.tables import Connection, copy_table
from ingestion.demo.world import World
from ingestion.demo.write_truth_effects import write_block_effects, write_seasons

_PLACEHOLDERS = ", ".join(f"'{phone}'" for phone in catalogue.PLACEHOLDER_PHONES)
# Every identifier that the data shows, with the record that shows it beside others.
_SIGHTINGS = f"""
create or replace temp table sightings as
with real_orders as (select * from orders where not is_test),
web as (
    select v.* exclude (device), d.value as device, d.role
    from visits v join devices d on d.d = v.device where v.person >= 0
)
select 'order ' || o.o as record, o.person, 'email' as identifier_type,
    e.value as identifier_value, e.role, e.role = 'office' as is_shared
from real_orders o join emails e on e.e = o.email
union all
select 'order ' || o, person, 'email', '{catalogue.PLACEHOLDER_EMAIL}', 'placeholder', true
from real_orders where email = -2
union all
select 'order ' || o.o, o.person, 'phone', h.value, 'phone', false
from real_orders o join phones h on h.k = o.phone
union all
select 'order ' || o, person, 'phone', ([{_PLACEHOLDERS}])[(number % 3 + 1)::integer],
    'placeholder', true
from real_orders where phone = -2
union all
select 'order ' || o.o, o.person, 'payment_card', c.value,
    case when o.card = p.family_card then 'family' else 'personal' end, o.card = p.family_card
from real_orders o join cards c on c.k = o.card join people p on p.p = o.person
where c.value is not null
union all
select 'order ' || o.o, o.person, 'orders_customer_id', p.till_number, 'till', false
from real_orders o join people p on p.p = o.person
where o.shows_loyalty and p.till_number is not null
union all
select 'order ' || o.o, o.person, 'shopify_customer_id', e.shopify_customer_id::text, e.role,
    e.role = 'office'
from real_orders o join emails e on e.e = o.email where o.is_online
union all
select 'order ' || order_row, person, 'device', device, role, role in ('family', 'kiosk')
from web where order_row >= 0
union all
select 'contact ' || n.n, n.person, 'email', e.value, e.role, false
from contacts n join emails e on e.e = n.email
union all
select 'contact ' || n.n, n.person, 'phone', h.value, 'phone', false
from contacts n join phones h on h.k = n.phone
union all
select 'contact ' || n.n, n.person, 'loyalty_id', p.loyalty_id, 'loyalty', false
from contacts n join people p on p.p = n.person where n.has_loyalty = 1
union all
select 'visit ' || v, person, 'device', device, role, role in ('family', 'kiosk') from web
union all
select 'visit ' || w.v, w.person, 'login', l.value, 'login', false
from web w join logins l on l.k = w.login
union all
select 'visit ' || w.v, w.person, 'email', e.value, e.role, e.role = 'office'
from web w join emails e on e.e = w.email
union all
select 'consent ' || c.c, c.person, 'email', e.value, e.role, false
from consents c join emails e on e.e = c.email
union all
select 'consent ' || c.c, c.person, 'phone', h.value, 'phone', false
from consents c join phones h on h.k = c.phone
union all
select 'profile ' || f.e, f.person, 'email', f.value, f.role, false
from profile_facts f where f.person >= 0
union all
select 'profile ' || f.e, f.person, 'phone', f.phone_value, 'phone', false
from profile_facts f where f.phone_value is not null
union all
select 'profile ' || f.e, f.person, 'login', f.login_value, 'login', false
from profile_facts f where f.login_value is not null
union all
select distinct 'profile ' || e.e, m.person, 'klaviyo_profile_id', e.klaviyo_id, e.role,
    e.role = 'office'
from (select person, email from messages union all select person, email from subscriptions) m
join emails e on e.e = m.email
"""

# A phone that two people had is no link either: each record says only one of them.
_KEYS = """
create or replace temp table truth_keys as
select row_number() over (order by person, identifier_type, identifier_value) - 1 as k, *
from (
    select person, identifier_type, identifier_value, any_value(role order by role) as role,
        bool_or(is_shared) as is_shared, min(record) as first_record
    from sightings group by all
)
"""
_EDGES = """
with linking as (
    select s.record, t.k
    from sightings s
    join truth_keys t using (person, identifier_type, identifier_value)
    where not t.is_shared
)
select distinct min(k) over (partition by record) as a, k as b from linking
"""

# What is wrong with an identifier, in the scorecard's words; the first that holds.
_IDENTIFIERS = """
with owners as (
    select identifier_type, identifier_value, count(*) as people from truth_keys group by all
),
devices_of as (
    select person, count(*) as devices from truth_keys where identifier_type = 'device' group by all
)
select p.person_id, p.household_id, t.identifier_type, t.identifier_value,
    case
        when t.role = 'placeholder' then 'placeholder'
        when t.role = 'office' then 'role_address'
        when t.role = 'kiosk' then 'shared_tablet'
        when t.role = 'family' then 'family'
        when t.identifier_type = 'phone' and o.people > 1 then 'recycled_phone'
        when t.role = 'typo' then 'typo'
        when t.role = 'newsletter' then 'dormant_address'
        when t.role = 'work' then 'second_address'
        when t.identifier_type = 'device' and d.devices > 1 then 'several_devices'
        else 'none'
    end as trouble,
    t.is_shared or o.people > 1 as is_shared,
    o.people as people_count,
    case when not t.is_shared then p.person_id || '-' || g.label end as evidence_group
from truth_keys t
join people p on p.p = t.person
join owners o using (identifier_type, identifier_value)
left join devices_of d on d.person = t.person
left join evidence_groups g on g.k = t.k
order by p.person_id, t.identifier_type, t.identifier_value
"""

_PEOPLE = """
select p.person_id, p.household_id, p.kind, p.first_name, p.last_name, p.country, p.interest,
    moment(p.joined) as joined_at, moment(p.leaves) as left_at,
        p.leaves >= getvariable('until') as is_active,
    p.order_rate * 365 as orders_per_year, p.gap_shape, p.spend as spend_level, p.latent_value,
    e.value as best_email,
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
    o.cancelled > 0 as is_cancelled, o.refunded > 0 as is_returned, u.name as currency,
    k.kind as caused_by_kind, k.name as caused_by
from orders o join people p on p.p = o.person join currencies u on u.code = o.currency
left join causes k on k.code = o.cause
order by o.number
"""

# The consent log, what was said to a text or a push message, and what the cookie banner was told on
# a device that only its owner uses.
_CONSENTS = """
with said as (
    select c.person, coalesce(h.value, e.value) as identifier_value, ch.name as channel, c.status,
        c.expires, c.occurred, c.c
    from consents c join channels ch on ch.code = c.channel
    left join emails e on e.e = c.email left join phones h on h.k = c.phone
    union all
    select person, identifier_value, channel, status, 0, occurred, -1 from programme_permissions
),
logged as (
    select p.person_id, s.identifier_value, s.channel,
        case when s.channel = 'ads' then 'ads' else 'marketing' end as purpose,
        case when max_by(s.status, (s.occurred, s.c)) = 1 then 'denied'
            when max_by(s.status, (s.occurred, s.c)) = 2 then 'revoked'
            when max_by(s.expires, (s.occurred, s.c)) between 1 and getvariable('until')
                then 'expired'
            else 'granted' end as status
    from said s join people p on p.p = s.person
    group by all
),
browsed as (
    select distinct p.person_id, d.value as identifier_value, d.accepts_ads,
        d.accepts_personalisation
    from visits v join people p on p.p = v.person join devices d on d.d = v.device
    where d.role = 'personal'
)
select * from logged
union all
select person_id, identifier_value, 'ads', 'ads', if(accepts_ads, 'granted', 'denied')
from browsed
union all
select person_id, identifier_value, 'onsite', 'personalisation',
    if(accepts_personalisation, 'granted', 'denied')
from browsed
order by all
"""

_TABLES = {
    "people": _PEOPLE,
    "identifiers": _IDENTIFIERS,
    "orders": _ORDERS,
    "consents": _CONSENTS,
    "campaigns": """
        select campaign_id, name, moment(sent) as sent_at, lift, experiment
        from campaigns order by index""",
    "exposures": """
        select p.person_id, c.campaign_id, x.is_treated = 1 as is_treated,
            x.caused_visit_at > 0 as caused_visit
        from exposures x
        join people p on p.p = x.person
        join campaigns c on c.index = x.campaign
        order by all""",
    "holdouts": """
        select p.person_id as person, a.experiment as experiment_id,
            if(a.is_treated, 'treatment', 'holdout') as "group",
            moment(a.assigned_at) as assigned_at
        from assignments a join people p on p.p = a.person
        order by all""",
    "brand_switches": write_truth_choices.BRAND_SWITCHES,
    "searches": write_web.SEARCHES,
    "cases": """
        select p.person_id, k.name as kind, r.product_id, moment(f.occurred) as occurred_at,
            moment(nullif(f.closed, -1)) as closed_at
        from feedback f
        join people p on p.p = f.person
        join feedback_kinds k on k.code = f.kind
        left join products r on r.index = f.product
        where f.is_case order by f.occurred, f.person, f.kind""",
    "programmes": write_programmes.TRUTH,
    "experiments": write_experiments.TRUTH,
    "checkouts": write_checkouts.TRUTH,
    "gifts": write_gifts.TRUTH,
    "levels": write_levels.TRUTH,
    **write_offers.TRUTH,
    "stores": """
        select p.person_id, s.name as store, count(*) as receipts
        from orders o join people p on p.p = o.person join stores s on s.code = o.store
        where not o.is_online
        group by all order by all""",
    "traffic": """
        select value as device, role from devices
        where role in ('bot', 'internal', 'kiosk') order by value""",
    "volumes": """
        select 'web.events' as table_name, count(*) as delivered, count(distinct (visit,
            place)) as distinct_rows from events
        union all select 'shopify.orders', count(*), count(*) from orders where is_online
        union all select 'messages', count(*), count(*) from messages order by 1""",
}


def find_sightings(con: Connection) -> None:
    """Make `sightings`, every identifier on every record; needs what write_klaviyo prepared."""
    con.execute(_SIGHTINGS)


def write_block_truth(con: Connection, world: World, folder: Path, block: int) -> None:
    """Write the block's truth; needs what write_{klaviyo,programmes,levels,offers} prepared."""
    con.execute(f"set variable until = {world.calendar.end}")
    find_sightings(con)
    write_block_effects(con, folder, block)
    if block == 0:
        write_seasons(con, folder, world.calendar)
        write_truth_choices.write_fixed_choices(con, folder)
    con.execute(_KEYS)
    con.execute(write_gifts.GIFTS)
    write_checkouts.prepare(con, world.calendar.end)
    _group_by_evidence(con)
    for name, query in _TABLES.items():
        copy_table(con, query, folder / name / f"part-{block:03d}.parquet")


def _group_by_evidence(con: Connection) -> None:
    """Which of a person's identifiers some chain of records ties together.

    No resolution can join more than this, so recall is measured against it. Labels spread along
    the edges until nothing changes; a person's chains are short.
    """
    edges = con.execute(_EDGES).fetchnumpy()
    count = con.execute("select count(*) from truth_keys").fetchone()[0]
    label = np.arange(count)
    a, b = edges["a"].astype(np.int64), edges["b"].astype(np.int64)
    while True:
        lowest = np.minimum(label[a], label[b])
        before = label.copy()
        np.minimum.at(label, a, lowest)
        np.minimum.at(label, b, lowest)
        label = label[label]
        if np.array_equal(before, label):
            break
    groups = pa.table({"k": np.arange(count), "label": label})
    con.register("incoming", groups)
    con.execute("create or replace temp table evidence_groups as select * from incoming")
    con.unregister("incoming")
