"""The pretend shop's second, small shop: it sells online alone, in another currency.

Belongs here: who buys there, some of them people who buy in the first shop too, and writing its API
and its truth. Does not belong here: the shape of an order (write_shopify), serving it (servers).

It is one more block of people behind the first shop's, so no row of the first shop changes with it.
It knows its customers by what they say at the checkout: no visits, no list, no wishes about mail.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingestion.demo import catalogue, choices, write_shopify, write_web
from ingestion.demo.calendar import Ints, rows_of
from ingestion.demo.identifiers import FAR_FUTURE, MAIN, NOBODY, Identifiers
from ingestion.demo.people import Bools, People
from ingestion.demo.tables import connection, copy_table, create_table, load_block
from ingestion.demo.world import Block, World, make_block

NAME, CURRENCY = "outlet", "EUR"
# One person there for each five here, and every third buyer there buys here too.
_SMALLER, _BOTH = 5, 3
_SAME = ("first_name", "last_name", "gender", "birthday", "postcode", "street", "country", "job")

_TRUTH = {
    "second_shop": """
        select coalesce(b.person_id, p.person_id) as person_id,
            b.person_id is not null as buys_in_both,
            e.value as email, count(*) as orders
        from orders o join people p on p.p = o.person left join both_shops b on b.p = o.person
        left join emails e on e.e = p.main_email
        group by all order by all""",
    "second_shop_orders": f"""
        select '{NAME}:' || order_id(o.number) as order_id,
            coalesce(b.person_id, p.person_id) as person_id, moment(o.placed) as ordered_at,
            o.cancelled > 0 as is_cancelled, o.refunded > 0 as is_returned, u.name as currency,
            (t.total / 100)::decimal(18, 2) as total
        from orders o join people p on p.p = o.person join order_totals t on t.o = o.o
        join currencies u on u.code = o.currency left join both_shops b on b.p = o.person
        order by o.number""",
}


def second_shop(world: World) -> tuple[Block, Ints]:
    """The second shop's block, and for each of its people their row in the first's; -1: in none."""
    people = min(world.block_size, -(-world.people // _SMALLER))
    first = world.block_count * world.block_size
    there = make_block(replace(world, people=first + people), world.block_count)
    here = world.block(0)
    ours, theirs = _pairs(here), _pairs(there)[::_BOTH]
    count = min(len(ours), len(theirs))
    drawn = np.random.default_rng([world.seed, world.block_count, len(ours)]).permutation(ours)
    known_as = np.full(len(there.people), NOBODY)
    known_as[theirs[:count]] = drawn[:count]
    return _online(_same_people(there, here, known_as), world), known_as


def write_second_shop(world: World, folder: Path) -> None:
    """Write `shops/outlet/`, which the second shop's server answers from, and its truth."""
    block, known_as = second_shop(world)
    api = folder / "shops" / NAME
    with connection() as con:
        load_block(con, world, block)
        write_web.prepare(con)
        write_shopify.write_api_block(con, api, 0)
        write_shopify.write_api_fixed(con, api, world.calendar.start, world.calendar.end, CURRENCY)
        both = np.flatnonzero(known_as >= 0)
        names = [f"P{number:08d}" for number in known_as[both].tolist()]
        create_table(
            con, "both_shops", pa.table({"p": both, "person_id": pa.array(names, pa.string())})
        )
        for name, query in _TRUTH.items():
            copy_table(con, query, folder / "truth" / name / "part-000.parquet")


def _pairs(block: Block) -> Ints:
    """Buyers who live alone, and so share no address with anybody."""
    size = np.bincount(block.people.household, minlength=len(block.people))
    alone = size[block.people.household] == 1
    ordered = np.isin(np.arange(len(block.people)), block.orders.person[block.orders.is_online])
    return np.flatnonzero(alone & ordered & (block.ids.email[MAIN] >= 0))


def _same_people(there: Block, here: Block, known_as: Ints) -> Block:
    """Who buys in both shops has one name, street, address and number in both."""
    both = np.flatnonzero(known_as >= 0)
    return replace(
        there,
        people=_named(there.people, here.people, both, known_as[both]),
        ids=_reached(there.ids, here.ids, both, known_as[both]),
    )


def _named(there: People, here: People, both: Ints, ours: Ints) -> People:
    columns = {name: getattr(there, name).copy() for name in _SAME}
    for name, column in columns.items():
        column[both] = getattr(here, name)[ours]
    return replace(there, **columns)


def _reached(there: Identifiers, here: Identifiers, both: Ints, ours: Ints) -> Identifiers:
    emails, phones = there.email_value.copy(), there.phone_value.copy()
    emails[there.email[MAIN][both]] = here.email_value[here.email[MAIN][ours]]
    keeps = (there.phone[both] >= 0) & (here.phone[ours] >= 0)
    keeps &= _kept_for_good(there, both) & _kept_for_good(here, ours)
    phones[there.phone[both[keeps]]] = here.phone_value[here.phone[ours[keeps]]]
    return replace(there, email_value=emails, phone_value=phones)


def _kept_for_good(ids: Identifiers, person: Ints) -> Bools:
    """Whose number was nobody else's before and will be nobody else's after."""
    return (ids.phone_from[person] <= 0) & (ids.phone_until[person] >= FAR_FUTURE)


def _online(block: Block, world: World) -> Block:
    """Only what this shop has: online orders in its currency."""
    kept = block.orders.is_online & ~block.orders.is_test
    number = np.where(kept, np.cumsum(kept) - 1, NOBODY)
    lines = rows_of(block.lines, kept[block.lines.order])
    lines = replace(lines, order=number[lines.order])
    orders = rows_of(block.orders, kept)
    code = catalogue.CURRENCIES.index(CURRENCY)
    orders = replace(orders, currency=np.full(len(orders), code, dtype=np.int64))
    nothing = slice(0, 0)
    return replace(
        block,
        orders=orders,
        lines=choices.priced(lines, orders, world.shelf),
        visits=rows_of(block.visits, nothing),
        events=rows_of(block.events, nothing),
        checkouts=rows_of(block.checkouts, nothing),
        consents=rows_of(block.consents, nothing),
    )
