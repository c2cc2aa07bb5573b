"""Data drift: whether a source's new rows leave empty what its earlier rows told (RELIABILITY B5).

A column that a source drops or renames makes no row unusable where the column is optional: its
values would end in NULL and nobody would see why. So the rows read since the last publication are
compared with those of the same source before it, column by column, and a share of empty values
that rose by more than `max_empty_rise` (20 points, with three standard deviations for chance) stops
the run until the source is mended or a person releases it.

Files are compared with files of the same series, which is their name with its digits left out, so
that a new system's export is not measured by another's; the rows of an API with those of the same
endpoint. Both sides need `MIN_ROWS` rows. Of a line that was mended and read again only the newest
version counts.

Belongs here: the rule and its sentence; shares and counts, never a value. Does not belong here:
required columns, whose absence sends a row to quarantine (ingestion/landing), sizes (breaker.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import duckdb
from sqlalchemy import select

from ingestion.config import Settings
from ingestion.duckdb import connect, literal, name
from ingestion.landing.fields import TableSpec
from ingestion.registry import SOURCES
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.runs import SUCCEEDED
from orchestration.ops.store import Store
from orchestration.published.checks import BREAKER_PREFIX, CheckResult
from orchestration.quality.breaker import NOISE

MIN_ROWS = 50
SERIES = "regexp_replace(_file, '[0-9]+', '#', 'g')"
NEW_ROWS = "new_rows"


@dataclass(frozen=True)
class EmptyShare:
    """How often a column was empty in rows of one series, before and since the last publication."""

    subject: str
    table: str
    series: str
    before_rows: int
    before_empty: int
    after_rows: int
    after_empty: int

    @property
    def before(self) -> float:
        """The earlier share of empty values, 0 to 1."""
        return self.before_empty / self.before_rows

    @property
    def after(self) -> float:
        """The new share of empty values, 0 to 1."""
        return self.after_empty / self.after_rows

    def rise(self) -> float:
        """How far the share rose beyond chance, in shares."""
        noise = sum(
            share * (1 - share) / rows
            for share, rows in ((self.before, self.before_rows), (self.after, self.after_rows))
        )
        return self.after - self.before - NOISE * sqrt(noise)


def check_drift(home: Home, settings: Settings, store: Store) -> list[CheckResult]:
    """Judge what every source left empty since the last publication.

    Args:
        home: whose raw store is looked at.
        settings: `max_empty_rise` under `[breaker]`; 1 stops nothing.
        store: knows the runs, and so which rows are newer than what is published.

    Returns:
        One result per column that is emptier than it was, else one that passed.
    """
    runs = unpublished_runs(store)
    if not runs or not home.raw.exists():
        return [_steady()]
    with connect() as connection:
        connection.execute(f"attach {literal(home.raw)} as raw (read_only)")
        shares = [
            share
            for spec, schema_ in _tables()
            for share in read_shares(connection, schema_, spec, runs)
        ]
    return judge_drift(shares, settings.breaker.max_empty_rise) or [_steady()]


def unpublished_runs(store: Store) -> list[str]:
    """The runs since the last one that published, oldest first; none where none published yet."""
    columns = schema.runs.c
    query = select(columns.run_id, columns.status).order_by(columns.started_at, columns.run_id)
    with store.read() as connection:
        runs = [(str(run), str(status)) for run, status in connection.execute(query).all()]
    done = [position for position, (_, status) in enumerate(runs) if status == SUCCEEDED]
    return [run for run, _ in runs[done[-1] + 1 :]] if done else []


def judge_drift(shares: Sequence[EmptyShare], max_rise: float) -> list[CheckResult]:
    """One stop per column, for the series in which it rose most."""
    worst: dict[str, EmptyShare] = {}
    for share in shares:
        known = worst.get(share.subject)
        if share.rise() > max_rise and (known is None or share.rise() > known.rise()):
            worst[share.subject] = share
    return [_stop(share) for _, share in sorted(worst.items())]


def read_shares(
    connection: duckdb.DuckDBPyConnection, source: str, spec: TableSpec, runs: Sequence[str]
) -> Iterator[EmptyShare]:
    """The shares of one raw table, read from a connection that has the store attached as `raw`."""
    table = name("raw", f"raw_{source}", spec.name)
    try:
        known = [str(row[0]) for row in connection.execute(f"describe {table}").fetchall()]
    except duckdb.CatalogException:
        return  # a source that has never been read
    required = {column.name for column in spec.columns if column.required}
    declared = [column for column, _ in spec.stored_columns if column not in required]
    columns = [column for column in declared if column in known]
    order = f"list_position({_list(runs)}, _run_id)"
    flags = "".join(f", {name(column)} is not null as {name(column)}" for column in columns)
    connection.execute(
        f"create or replace temp table {NEW_ROWS} as select {SERIES} as series{flags} from {table}"
        f" where _run_id in {_tuple(runs)}"
        f" qualify row_number() over (partition by _file, _line order by {order} desc, _row_id) = 1"
    )
    counted = connection.execute(f"select count(*) from {NEW_ROWS}").fetchone()
    if not counted or counted[0] < MIN_ROWS:
        return  # nothing to judge: the earlier rows, which may be millions, are not read
    after = "".join(f", count(*) filter ({name(column)})" for column in columns)
    before = "".join(f", count({name(column)})" for column in columns)
    rows = connection.execute(
        f"""
        with after as (
            select series, count(*) as row_count{after} from {NEW_ROWS} group by series
        ),
        before as (
            select series, count(*) as row_count{before} from (
                select *, {SERIES} as series from {table} where _run_id not in {_tuple(runs)}
            ) where series in (select series from after) group by series
        )
        select before.*, after.* from before join after using (series)
        where before.row_count >= {MIN_ROWS} and after.row_count >= {MIN_ROWS} order by series
        """
    ).fetchall()
    for row in rows:
        earlier, newer = row[: len(row) // 2], row[len(row) // 2 :]
        for column, told_earlier, told_newer in zip(columns, earlier[2:], newer[2:], strict=True):
            yield EmptyShare(
                f"{source}.{spec.name}.{column}",
                f"raw_{source}.{spec.name}",
                str(earlier[0]),
                int(earlier[1]),
                int(earlier[1] - told_earlier),
                int(newer[1]),
                int(newer[1] - told_newer),
            )


def _tables() -> Iterator[tuple[TableSpec, str]]:
    for source in SOURCES.values():
        for spec in source.tables:
            yield spec, source.name


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(literal(text) for text in texts) + "]"


def _tuple(texts: Sequence[str]) -> str:
    return "(" + ", ".join(literal(text) for text in texts) + ")"


def _stop(share: EmptyShare) -> CheckResult:
    column = share.subject.rpartition(".")[2]
    return CheckResult(
        kind="breaker",
        name=f"{BREAKER_PREFIX}{share.subject}",
        table=share.table,
        passed=False,
        observed=float(share.after_empty),
        sentence=(
            f"{share.table}: of {share.after_rows:,} rows read since the last publication"
            f" {share.after:.0%} have no {column}; of the {share.before_rows:,} before them"
            f" {share.before:.0%} had none."
        ),
        hint=(
            "Look whether the source dropped or renamed it, and mend the input or its mapping;"
            f" if it is right, a person releases it with `regulars release {share.subject}"
            " --by NAME --reason TEXT` and runs again."
        ),
    )


def _steady() -> CheckResult:
    return CheckResult(
        kind="breaker",
        name=f"{BREAKER_PREFIX}empty_values",
        table="",
        passed=True,
        sentence="No source leaves empty what it told before.",
    )
