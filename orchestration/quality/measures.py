"""What changed between the published file and a candidate, in counts.

Belongs here: the SQL that compares the two. Does not belong here: which change is too much
(orchestration/quality/breaker.py).

Three ideas keep clean days quiet without looking away from faults:

- *The past stays past.* Orders, visits, messages and people up to the earlier of both `as_of` are
  compared with themselves, so neither weekdays nor Black Friday play a part.
- *People who did something.* A person who enters or leaves a segment after being seen again is told
  apart from one who was not seen ("idle"): bad joins and lost filters move idle people.
- *Stays that were due to end.* A segment over a window of days loses members by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion.duckdb import connect, literal, name
from ingestion.vocabulary import CHANNELS, STAGES

# A stay counts as due a day before its window ends, because runs are about a day apart.
WINDOW_MARGIN_DAYS = 1


@dataclass(frozen=True)
class GroupChange:
    """How a set of people (a segment, a stage, the contactable) changed."""

    name: str
    table: str
    before: int
    after: int
    removed_idle: int
    entered_idle: int
    due: int = 0
    window_days: float | None = None


@dataclass(frozen=True)
class PastChange:
    """How a figure about the past changed; `restated` counts rows no longer as they were."""

    name: str
    table: str
    what: str
    rows: int
    before: float
    after: float
    restated: int | None = None
    may_grow: bool = True
    settles: bool = False


@dataclass(frozen=True)
class Measures:
    """Everything the breaker looks at."""

    days: float
    people_before: int
    people_after: int
    groups: tuple[GroupChange, ...]
    past: tuple[PastChange, ...]
    moved: tuple[str, ...] = ()
    """Thresholds of the shop's own rhythm that are not what they were, in words."""


@contextmanager
def both_open(published: Path, candidate: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Both files attached read-only as `old` and `new`, and nothing else within reach."""
    with connect() as connection:
        for path, alias in ((published, "old"), (candidate, "new")):
            connection.execute(f"attach {literal(path)} as {alias} (read_only)")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection


def measure(
    connection: duckdb.DuckDBPyConnection, windows: Mapping[str, float] | None = None
) -> Measures:
    """Compare the catalogs `old` and `new` of a connection.

    Args:
        connection: with both attached.
        windows: days by segment; segments that are not named keep their members until they act.
    """
    old_as_of, new_as_of = (_as_of(connection, catalog) for catalog in ("old", "new"))
    tables = _tables(connection)
    _prepare(connection, min(old_as_of, new_as_of), "marts.customer_aliases" in tables["new"])
    people = [_number(connection, f"select count(*) from {c}.marts.dim_customers") for c in _BOTH]
    return Measures(
        days=abs((new_as_of - old_as_of).total_seconds()) / 86_400,
        people_before=int(people[0]),
        people_after=int(people[1]),
        groups=tuple(_groups(connection, tables, windows or {}, new_as_of)),
        past=tuple(_past(connection)),
        moved=tuple(_moved(*(read_thresholds(connection, catalog) for catalog in _BOTH))),
    )


def read_thresholds(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, int]:
    """The shop's own thresholds in `old` or `new`; none in a file from before there were any."""
    if "marts.shop_rhythm" not in _tables(connection)[catalog]:
        return {}
    rows = connection.execute(
        f"select threshold, threshold_value from {catalog}.marts.shop_rhythm order by threshold"
    ).fetchall()
    return {str(name): int(value) for name, value in rows}


def _moved(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[str]:
    for threshold, value in after.items():
        if before.get(threshold, value) != value:
            yield f"{threshold} from {before[threshold]} to {value}"


_BOTH = ("old", "new")


def _as_of(connection: duckdb.DuckDBPyConnection, catalog: str) -> datetime:
    row = connection.execute(f"select as_of from {catalog}.ops.build").fetchone()
    assert row is not None and isinstance(row[0], datetime)  # noqa: S101 - our own table
    return row[0]


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    row = connection.execute(sql).fetchone()
    return float(row[0] or 0) if row else 0.0


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    rows = connection.execute(
        "select database_name, schema_name || '.' || table_name from duckdb_tables()"
    ).fetchall()
    return {catalog: {name for c, name in rows if c == catalog} for catalog in _BOTH}


def _prepare(connection: duckdb.DuckDBPyConnection, moment: datetime, has_aliases: bool) -> None:
    """Today's id of every old id, and who was seen after the earlier moment."""
    aliases = "new.marts.customer_aliases" if has_aliases else "(select null a, null b where false)"
    names = "alias_id, customer_id" if has_aliases else "a as alias_id, b as customer_id"
    connection.execute(f"create or replace temp table aliases as select {names} from {aliases} s")
    connection.execute(
        "create or replace temp table moment as select ?::timestamp as moment", [moment]
    )
    connection.execute(
        "create or replace temp table seen_again as"
        " select customer_id from new.marts.dim_customers, moment where last_seen_at > moment"
        " union select coalesce(a.customer_id, d.customer_id) from old.marts.dim_customers d"
        " left join aliases a on a.alias_id = d.customer_id, moment where last_seen_at > moment"
    )
    connection.execute(
        "create or replace temp table known_before as"
        " select distinct coalesce(a.customer_id, d.customer_id) as customer_id"
        " from old.marts.dim_customers d left join aliases a on a.alias_id = d.customer_id"
    )


def _groups(
    connection: duckdb.DuckDBPyConnection,
    tables: dict[str, set[str]],
    windows: Mapping[str, float],
    new_as_of: datetime,
) -> Iterator[GroupChange]:
    for table in sorted(tables["old"] & tables["new"]):
        if table.startswith("segments.seg_"):
            segment = table.removeprefix("segments.seg_")
            table_name = name(*table.split("."))
            members = f"select customer_id from {{catalog}}.{table_name}"
            yield _group(connection, segment, table, members, windows.get(segment), new_as_of)
    yield _group(
        connection,
        "buyers",
        "marts.dim_customers",
        "select customer_id from {catalog}.marts.dim_customers where customer_type = 'buyer'",
    )
    for channel in CHANNELS:
        yield _group(
            connection,
            f"contactable_{channel}",
            "marts.contactability",
            "select customer_id from {catalog}.marts.contactability where is_contactable"
            f" and purpose = 'marketing' and channel = '{channel}'",
        )
    for stage in STAGES:
        yield _group(
            connection,
            f"stage_{stage}",
            "marts.fct_customer_journey_stages",
            "select customer_id from {catalog}.marts.fct_customer_journey_stages"
            f" where is_current and stage = '{stage}'",
        )


def _group(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: str,
    members: str,
    window_days: float | None = None,
    new_as_of: datetime | None = None,
) -> GroupChange:
    row = connection.execute(
        f"""
        with old_members as (
            select distinct coalesce(a.customer_id, m.customer_id) as customer_id
            from ({members.format(catalog="old")}) m
            left join aliases a on a.alias_id = m.customer_id
        ),
        new_members as (select distinct customer_id from ({members.format(catalog="new")})),
        removed as (from old_members anti join new_members using (customer_id)),
        entered as (from new_members anti join old_members using (customer_id))
        select
            (select count(*) from old_members),
            (select count(*) from new_members),
            (select count(*) from removed anti join seen_again using (customer_id)),
            (select count(*) from entered semi join known_before using (customer_id)
                anti join seen_again using (customer_id))
        """
    ).fetchone()
    assert row is not None  # noqa: S101 - four scalars make one row
    due = 0.0
    if window_days is not None:
        due = _number(
            connection,
            "select count(*) from old.marts.fct_segment_memberships where is_current"
            f" and segment = '{name}' and entered_at <= timestamp '{new_as_of}'"
            f" - interval '{int((window_days - WINDOW_MARGIN_DAYS) * 24)} hours'",
        )
    before, after, removed_idle, entered_idle = (int(number) for number in row)
    return GroupChange(
        name, table, before, after, removed_idle, entered_idle, int(due), window_days
    )


def _past(connection: duckdb.DuckDBPyConnection) -> Iterator[PastChange]:
    counted = "status not in ('cancelled', 'voided', 'test')"
    currencies = connection.execute(
        "select distinct currency from old.marts.fct_orders where currency is not null order by 1"
    ).fetchall()
    for (currency,) in currencies:
        where = f"{counted} and currency = '{str(currency).replace(chr(39), '')}'"
        for what in ("gross_sales", "net_sales"):
            yield _figure(
                connection, f"{what}_{currency}", "marts.fct_orders", what.replace("_", " "),
                f"sum({what})", "ordered_at", where, settles=what == "net_sales",
            )  # fmt: skip
    orders = "order_id, ordered_at, currency, gross_sales"
    yield _rows(connection, "orders", "marts.fct_orders", "orders", "ordered_at", orders)
    yield _rows(
        connection, "web_visits", "marts.fct_web_sessions", "visits", "started_at", "started_at"
    )
    yield _rows(connection, "messages", "marts.fct_messages", "messages", "sent_at", "sent_at")
    yield _figure(
        connection, "people", "marts.dim_customers", "people", "count(*)", "first_seen_at", "true"
    )
    yield _figure(
        connection, "known_people", "marts.dim_customers", "known people", "count(*)",
        "first_seen_at", "is_known", may_grow=False,
    )  # fmt: skip


def _figure(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: str,
    what: str,
    value: str,
    time: str,
    where: str,
    *,
    may_grow: bool = True,
    settles: bool = False,
) -> PastChange:
    """A figure over rows of the past in both files."""
    sql = "select count(*), {v} from {c}.{t}, moment where {time} <= moment and {where}"
    (rows, before), (_, after) = (
        connection.execute(
            sql.format(v=value, c=catalog, t=table, time=time, where=where)
        ).fetchone()
        or (0, 0)
        for catalog in _BOTH
    )
    return PastChange(
        name, table, what, int(rows), float(before or 0), float(after or 0), None, may_grow, settles
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, name: str, table: str, what: str, time: str, shape: str
) -> PastChange:
    """The number of rows of the past, and how many of the old ones are not there as they were."""
    counted = _figure(connection, name, table, what, "count(*)", time, "true")
    restated = _number(
        connection,
        f"select count(*) from (select {shape} from old.{table}, moment where {time} <= moment"
        f" except all select {shape} from new.{table})",
    )
    return PastChange(name, table, what, counted.rows, counted.before, counted.after, int(restated))
