"""A block of the pretend shop as DuckDB tables, so that files are written by SQL.

Belongs here: turning columns into tables and giving everything its public name (ids, phone numbers
as people write them). Does not belong here: any file format.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ingestion.demo import (
    browsing,
    catalogue,
    clickstream,
    effects,
    mailing,
    permissions,
    programmes,
    purchases,
)
from ingestion.demo.calendar import Calendar
from ingestion.demo.identifiers import DEVICE_ROLES, EMAIL_ROLES
from ingestion.demo.occasions import YEARS, occasions
from ingestion.demo.people import KINDS
from ingestion.demo.world import Block, World
from ingestion.duckdb import connect

Connection = Any  # duckdb.DuckDBPyConnection, which carries no types here

ORDER_ID_BASE = 5_500_000_000_000
CUSTOMER_ID_BASE = 6_000_000_000_000

_MACROS = f"""
create macro moment(s) as make_timestamp(s::bigint * 1000000);
create macro iso(s) as strftime(make_timestamp(s::bigint * 1000000), '%Y-%m-%dT%H:%M:%SZ');
create macro iso_offset(s) as
    strftime(make_timestamp(s::bigint * 1000000), '%Y-%m-%dT%H:%M:%S+00:00');
create macro money(minor) as printf('%.2f', minor / 100.0);
create macro in_gbp(minor, currency) as
    minor / {list(map(float, catalogue.PRICE_FACTOR))}[(currency + 1)::integer];
create macro order_id(number) as ({ORDER_ID_BASE} + number * 13);
create macro as_written(phone, n) as case
    when phone is null then null
    when phone like '+44%' and n % 3 = 0 then '0' || phone[4:7] || ' ' || phone[8:]
    when phone like '+44%' and n % 3 = 1 then '+44 ' || phone[4:7] || ' ' || phone[8:]
    else phone end;
"""

# Who was drawn into which arm of an experiment when; the letters that go to all have none.
_ASSIGNMENTS = """
create or replace temp table assignments as
select distinct x.person, c.experiment, x.is_treated = 1 as is_treated, c.sent as assigned_at
from exposures x join campaigns c on c.index = x.campaign
where c.experiment is not null
order by assigned_at, person
"""


@contextmanager
def connection() -> Iterator[Connection]:
    """An in-memory DuckDB with our macros, the catalogue and the names of codes.

    It has one thread: blocks are written beside each other by processes, and a sum of fractions is
    the same to the last bit only where its rows come in one order.
    """
    con = connect(preserve_insertion_order=True, threads=1)
    try:
        con.execute(_MACROS)
        for name, table in _fixed_tables().items():
            create_table(con, name, table)
        yield con
    finally:
        con.close()


def _fixed_tables() -> dict[str, pa.Table]:
    shelf = catalogue.products()
    return {
        "products": pa.table(
            {f.name: [getattr(p, f.name) for p in shelf] for f in fields(shelf[0])}
        ),
        "agents": _codes(catalogue.USER_AGENTS, device_type=catalogue.DEVICE_TYPES),
        "sources": _codes(browsing.SOURCES),
        "event_kinds": _codes(clickstream.KINDS),
        "message_kinds": _codes(mailing.MESSAGE_KINDS),
        "list_sources": _codes(mailing.SUBSCRIBED_BY),
        "currencies": _codes(catalogue.CURRENCIES),
        "payment_kinds": _codes(purchases.PAYMENTS),
        "stores": _codes(catalogue.STORES),
        "channels": _codes(permissions.CHANNELS),
        "statuses": _codes(permissions.STATUSES),
        "consent_sources": _codes(permissions.CONSENT_SOURCES),
        "feedback_kinds": _codes(permissions.FEEDBACK),
        "gift_days": _gift_days(),
        "programme_channels": _codes(programmes.CHANNELS),
        "programme_stops": _codes(programmes.STOPS),
        "programme_answers": _codes(programmes.ANSWERS),
    }


def _gift_days() -> pa.Table:
    days = [
        (name, *(datetime.combine(day, time(), UTC) for day in (starts, ends + timedelta(1))))
        for year in YEARS
        for name, starts, ends in occasions(year)
    ]
    return pa.table(
        {
            "occasion": [name for name, _, _ in days],
            "starts": [int(starts.timestamp()) for _, starts, _ in days],
            "ends": [int(ends.timestamp()) for _, _, ends in days],
        }
    )


def _codes(names: tuple[str, ...], **more: tuple[str, ...]) -> pa.Table:
    return pa.table(
        {"code": list(range(len(names))), "name": list(names)}
        | {k: list(v) for k, v in more.items()}
    )


def load_block(
    con: Connection,
    world: World,
    block: Block,
    calendar: Calendar | None = None,
    letters: list[mailing.Campaign] | None = None,
) -> None:
    """(Re)create the block's tables: people, emails, phones, logins, cards, devices, orders, …

    `assignments(person, experiment, is_treated, assigned_at)` is made of exposures and campaigns.

    `calendar` and `letters` are those of a shop that lives on; else they are the world's.
    """
    load_shop(con, world, letters)
    for name, table in _block_tables(calendar or world.calendar, block).items():
        create_table(con, name, table)
    con.execute(_ASSIGNMENTS)
    con.execute(f"create or replace macro seed() as {world.seed}")
    con.execute(f"create or replace macro block() as {block.index}::bigint")


def load_shop(con: Connection, world: World, letters: list[mailing.Campaign] | None = None) -> None:
    """(Re)create what no block changes: `campaigns`, `product_states` and `shelf_changes`."""
    sent = mailing.campaigns(world.calendar) if letters is None else letters
    states = zip(*world.shelf.states, strict=True)
    names = ("index", "since", "until", "price", "in_stock")
    create_table(con, "product_states", pa.table(dict(zip(names, map(list, states), strict=True))))
    changes = {
        "place": list(range(len(world.shelf.changes))),
        "kind": [effects.SHELF_KINDS[change.kind] for change in world.shelf.changes],
        "product": [change.product for change in world.shelf.changes],
    }
    create_table(con, "shelf_changes", pa.table(changes))
    columns = {f.name: [getattr(c, f.name) for c in sent] for f in fields(mailing.Campaign)}
    create_table(con, "campaigns", pa.table(columns))


def create_table(con: Connection, name: str, table: pa.Table) -> None:
    """(Re)create a table."""
    con.register("incoming", table)
    con.execute(f"create or replace temp table {name} as select * from incoming")
    con.unregister("incoming")


def _block_tables(calendar: Calendar, block: Block) -> dict[str, pa.Table]:
    orders = _columns(block.orders)
    placed = block.orders.placed
    orders["sold_local"] = calendar.to_local(placed)
    orders["refunded_local"] = calendar.to_local(np.maximum(block.orders.refunded, calendar.start))
    subscriptions = _columns(block.subscriptions)
    return {
        "people": _people(block),
        "emails": _emails(block),
        "phones": _listed(block.ids.phone_value),
        "logins": _listed(block.ids.login_value),
        "cards": _listed(block.ids.card_value),
        "devices": _devices(block),
        "orders": pa.table({"o": np.arange(len(placed))} | orders),
        "lines": pa.table(_columns(block.lines) | {"order_row": block.lines.order}).drop(["order"]),
        "subscriptions": pa.table(subscriptions),
        "messages": pa.table({"m": np.arange(len(block.messages.sent))} | _columns(block.messages)),
        "exposures": pa.table(block.exposures),
        "visits": pa.table(
            {"v": np.arange(len(block.visits))} | _renamed(block.visits, "order", "order_row")
        ),
        "events": pa.table(_columns(block.events)),
        "begun_checkouts": pa.table(_columns(block.checkouts)),
        "consents": pa.table(
            {"c": np.arange(len(block.consents.person))} | _columns(block.consents)
        ),
        "contacts": pa.table(
            {"n": np.arange(len(block.contacts.person))} | _columns(block.contacts)
        ),
        "feedback": pa.table(
            _renamed(block.feedback, "order", "order_row")
            | {"is_case": permissions.is_case(block.feedback.kind, block.feedback.score)}
        ),
        "prevented": pa.table(_columns(block.prevented)),
        "watchers": pa.table(_columns(block.watchers)),
        "switches": pa.table(_columns(block.switches)),
    }


def _columns(rows: Any) -> dict[str, Any]:
    return {field.name: getattr(rows, field.name) for field in fields(rows)}


def _renamed(rows: Any, old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: column for name, column in _columns(rows).items()}


def _people(block: Block) -> pa.Table:
    people, ids = block.people, block.ids
    columns = _columns(people)
    del columns["first_id"]
    numbers = np.arange(len(people)) + people.first_id
    columns["p"] = np.arange(len(people))
    columns["person_id"] = [f"P{i:08d}" for i in numbers.tolist()]
    columns["household_id"] = [f"H{people.first_id + h:08d}" for h in people.household.tolist()]
    columns["kind"] = [KINDS[k] for k in people.kind.tolist()]
    columns["country"] = [catalogue.COUNTRIES[c] for c in people.country.tolist()]
    columns["timezone"] = [catalogue.TIMEZONES[c] for c in people.country.tolist()]
    columns["interest"] = [catalogue.CATEGORIES[c] for c in people.interest.tolist()]
    columns["loyalty_id"] = ids.loyalty
    columns["till_number"] = ids.till_number
    for role, column in ids.email.items():
        columns[f"{EMAIL_ROLES[role]}_email"] = column
    for name in (
        "login",
        "second_login",
        "phone",
        "second_phone",
        "phone_from",
        "phone_until",
        "family_card",
    ):
        columns[name] = getattr(ids, name)
    return pa.table({name: pa.array(column) for name, column in columns.items()})


def _emails(block: Block) -> pa.Table:
    ids = block.ids
    n = len(ids.email_value)
    number = block.people.first_id * 8 + np.arange(n)
    return pa.table(
        {
            "e": np.arange(n),
            "value": pa.array(ids.email_value, pa.string()),
            "role": [EMAIL_ROLES[role] for role in ids.email_role.tolist()],
            "person": ids.email_person,
            "shopify_customer_id": CUSTOMER_ID_BASE + number * 7,
            "klaviyo_id": [f"01HARB{i:012d}PR0F1LE0"[:26] for i in number.tolist()],
        }
    )


def _listed(values: Any) -> pa.Table:
    return pa.table({"k": np.arange(len(values)), "value": pa.array(values, pa.string())})


def _devices(block: Block) -> pa.Table:
    ids = block.ids
    n = len(ids.device_value)
    return pa.table(
        {
            "d": np.arange(n),
            "value": pa.array(ids.device_value, pa.string()),
            "role": [DEVICE_ROLES[role] for role in ids.device_role.tolist()],
            "agent": ids.device_agent,
            "gpc": ids.device_gpc,
            # The cookie banner asks a device once; shares that leave every combination non-empty.
            "accepts_ads": np.arange(n) % 3 > 0,
            "accepts_personalisation": np.arange(n) % 5 < 2,
        }
    )


def copy_lines(con: Connection, query: str, path: Path) -> None:
    """Write the one text column `line` of a query, one per line; compressed as the ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # DuckDB's gzip costs three times as much as writing everything else; the lowest level will do.
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    con.execute(
        f"copy ({query}) to '{plain}' "
        "(format csv, header false, quote '', escape '', delimiter '\x01',"
        f" compression '{_compression(plain)}')"
    )
    if plain != path:
        _gzip(plain, path)


def _gzip(plain: Path, path: Path) -> None:
    """Compress a file, the same bytes every time, and remove the plain one."""
    with (
        plain.open("rb") as source,
        path.open("wb") as target,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=target, mtime=0) as archive,
    ):
        shutil.copyfileobj(source, archive, 1 << 20)
    plain.unlink()


def copy_table(con: Connection, query: str, path: Path) -> None:
    """Write a query as CSV or Parquet, as the ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = (
        "format parquet, compression zstd"
        if path.suffix == ".parquet"
        else (f"format csv, header true, compression '{_compression(path)}'")
    )
    con.execute(f"copy ({query}) to '{path}' ({options})")


def _compression(path: Path) -> str:
    return {".gz": "gzip", ".zst": "zstd"}.get(path.suffix, "none")
