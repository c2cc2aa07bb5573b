"""What the pretend shop offers: promotions, vouchers, occasions and personas.

Data flow: tables of a block -> promotions/{issued,redeemed}/, truth/{vouchers,personas};
the calendar -> promotions/, calendar.csv, personas/.
Does not belong here: the discounts of the orders themselves (purchases).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ingestion.demo import catalogue
from ingestion.demo.occasions import occasions
from ingestion.demo.tables import Connection, copy_table
from ingestion.demo.world import World

VOUCHER_DAYS = 180
_ISSUED_AFTER_DAYS = 7
_PERCENT = 10

# A word of thanks for the first online order; it is redeemed with the first later order that has
# just this discount. What happens after `offers_until` is not known yet.
_VOUCHERS = f"""
create or replace temp table vouchers as
with online as (
    select * from orders
    where is_online and not is_test and cancelled = 0 and email >= 0
        and placed < getvariable('offers_until')
),
issued as (
    select person, arg_min(email, (placed, number)) as email, min(placed) as ordered,
        min(placed) + {_ISSUED_AFTER_DAYS * 86_400} as issued
    from online group by person
),
redeemed as (
    select i.person, min(o.placed) as redeemed, arg_min(o.number, (o.placed, o.number)) as number
    from issued i join online o on o.person = i.person and o.placed > i.issued
        and o.placed < i.issued + {VOUCHER_DAYS * 86_400} and o.discount_percent = {_PERCENT}
    group by i.person
)
select i.person, i.email, i.issued, i.issued + {VOUCHER_DAYS * 86_400} as valid_until,
    r.redeemed, r.number
from issued i left join redeemed r on r.person = i.person
where i.issued < getvariable('offers_until')
"""

_COLUMNS = f"""
select 'thanks-{_PERCENT}' as promotion_id, 'Thank you for your first order' as name,
    'SAVE{_PERCENT}' as code, {_PERCENT} as value_percent, 'email' as identifier_type,
    e.value as identifier_value, iso(v.issued) as issued_at, iso(v.valid_until) as valid_until,
"""
# An office's address is several people's, so no voucher of one of them
_FROM = "from vouchers v join emails e on e.e = v.email and e.role <> 'office'"
# The first file says all that is known; later days say what happens on them, each version in a
# folder whose name stands behind that of the version before.
_VOUCHERS_KNOWN = f"""
{_COLUMNS} iso(v.redeemed) as redeemed_at, order_id(v.number)::text as redeemed_order_id
{_FROM} order by v.issued, v.person
"""
_ISSUED = f"""
{_COLUMNS} null::text as redeemed_at, null::text as redeemed_order_id
{_FROM} order by v.issued, v.person
"""
_REDEEMED = f"select * from ({_VOUCHERS_KNOWN}) where redeemed_at is not null"

# One offer after the other is live at the world's end and for a year after it.
_PROMOTIONS = f"""
select 'promo-' || (i % 6) || '-' || i as promotion_id, upper(category) || ' offer' as name,
    category, product_id, iso(starts) as starts_at, iso(ends) as ends_at,
    'SAVE' || (['10', '15', '20'])[(i % 3 + 1)::integer] as code,
    ([10, 15, 20])[(i % 3 + 1)::integer] as value_percent
from (
    select category, product_id, (index // 10)::bigint as i,
        getvariable('since') + i * 8640000 // 10 as starts, starts + 14 * 86400 as ends
    from products where index % 10 = 3
    union all
    select category, null, {len(catalogue.CATEGORIES)} + k,
        getvariable('until') + (k * 30 - 10) * 86400 as starts, starts + 35 * 86400
    from products join range(13) as months(k) on index = (k * 10 + 4) % 120
)
order by i
"""

TRUTH = {
    "vouchers": f"""
        select p.person_id, {_COLUMNS.split("select", 1)[1]} iso(v.redeemed) as redeemed_at
        {_FROM} join people p on p.p = v.person order by v.issued, v.person""",
    "personas": """
        select p.person_id, case when p.interest in ('coffee', 'tea') then 'Warm cup'
            when p.interest in ('garden', 'outdoor') then 'Fresh air' end as persona
        from people p where persona is not null order by p.p""",
}

# Folder, query and the column with its moment, as in write_folders
DATED = (
    ("promotions/issued", _ISSUED, "issued_at"),
    ("promotions/redeemed", _REDEEMED, "redeemed_at"),
)

_PERSONAS = {
    "warm-cup.yml": """\
name: Warm cup
who:
  - trait: favourite_department
    is: [coffee, tea]
needs: [something good every morning]
fears: [running out on a Sunday]
values: [small growers]
content: [brewing at home]
offers: [a refill before the tin is empty]
path:
  - do: welcome
    channel: email
    if_reacts: replenishment
    if_not: promo
  - do: what goes with the favourite
    channel: email
    after_days: 7
  - do: replenishment
    channel: email
    after_days: 28
""",
    "fresh-air.yml": """\
name: Fresh air
who:
  - trait: favourite_department
    is: [garden, outdoor]
needs: [things that last outside]
tastes: [green, wood, enamel]
content: [what to do in the garden this month]
offers: [the first look at the season's range]
path:
  - do: promo
    channel: email
    if_not: promo on another day
  - do: the season's letter
    channel: email
    after_days: 14
""",
}


def prepare(con: Connection, world: World, until: int | None = None) -> None:
    """Make the vouchers of the block's people; needs the block's tables."""
    con.execute(f"set variable offers_until = {until or world.calendar.end}")
    con.execute(_VOUCHERS)


def write_block_offers(con: Connection, folder: Path, block: int) -> None:
    """Write the vouchers of the block's people."""
    copy_table(con, _VOUCHERS_KNOWN, folder / "promotions" / "issued" / f"part-{block:03d}.csv")


def write_fixed_offers(con: Connection, world: World, folder: Path) -> None:
    """Write what is the same whoever the customers are; needs `since` and `until`."""
    copy_table(con, _PROMOTIONS, folder / "promotions" / "promotions.csv")
    first = datetime.fromtimestamp(world.calendar.start, UTC).year
    last = datetime.fromtimestamp(world.calendar.end, UTC).year + 1
    lines = ["occasion,starts_on,ends_on,country"]
    lines += [
        f"{name},{starts},{ends},GB"
        for year in range(first, last + 1)
        for name, starts, ends in occasions(year)
    ]
    (folder / "calendar.csv").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "personas").mkdir(exist_ok=True)
    for name, text in _PERSONAS.items():
        (folder / "personas" / name).write_text(text, "utf-8")
