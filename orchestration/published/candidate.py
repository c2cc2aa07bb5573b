"""The candidate: the next published file, built aside from the warehouse.

Belongs here: copying the public schemas table by table, their comments, and saying what the copy
contains (a digest per table). Does not belong here: judging it (orchestration/quality) or the swap.

Data flow: warehouse.duckdb (read-only) -> published.candidate.duckdb.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import duckdb

from ingestion.duckdb import connect, literal, name
from ingestion.errors import RegularsError
from orchestration.home.layout import OWNER_ONLY, Home
from orchestration.home.whole_file import fsync
from orchestration.published.files import (
    disk_errors_explained,
    remove_database,
    require_free_disk,
)

SCHEMAS = ("marts", "segments", "activity", "ops")
# Tables of `ops` name the run (its id is new every time), so they are no part of the content's id.
CONTENT_SCHEMAS = ("marts", "segments", "activity")
# The day's decision follows the ledger too, which a sync changes between two runs of one moment.
OF_THE_LEDGER = ("activity.fct_contact_decisions",)


class RunFacts(Protocol):
    """What publishing needs to know of a run (orchestration/run/run.py has the whole)."""

    @property
    def run_id(self) -> str:
        """The run's id."""

    @property
    def as_of(self) -> datetime:
        """The run's "now", naive UTC."""


@dataclass(frozen=True)
class TableFacts:
    """One published table: its name, size and a digest of its content in any row order."""

    schema: str
    name: str
    rows: int
    digest: str

    @property
    def full_name(self) -> str:
        """Schema and name, such as `marts.dim_customers`."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Candidate:
    """A built file that nobody reads yet.

    Equal `build_id`s mean equal public tables as of the same moment, whoever built them.
    """

    path: Path
    build_id: str
    run_id: str
    as_of: datetime
    tables: tuple[TableFacts, ...]

    def rows(self, full_name: str) -> int:
        """The number of rows of a table, 0 if it is not there."""
        return next((t.rows for t in self.tables if t.full_name == full_name), 0)


Further = Callable[[duckdb.DuckDBPyConnection], None]


def build_candidate(home: Home, run: RunFacts, *, further: Further | None = None) -> Candidate:
    """Copy the public schemas of the warehouse into a new file beside the published one.

    Args:
        home: where both lie.
        run: the run that builds it.
        further: writes tables that follow from those copied, with their comments.

    Raises:
        RegularsError: there is no warehouse, nothing to publish in it, or too little free disk.
    """
    if not home.warehouse.exists():
        raise RegularsError(f"There is no {home.warehouse.name} in {home.root}.", _RUN_FIRST)
    require_free_disk(home.root, (home.warehouse, home.published))
    remove_database(home.candidate)
    try:
        with disk_errors_explained(home.root):
            candidate = _build(home, run, further)
            home.candidate.chmod(OWNER_ONLY)
            fsync(home.candidate)
    except BaseException:
        remove_database(home.candidate)
        raise
    return candidate


def describe_candidate(path: Path) -> Candidate:
    """The facts of a file built earlier, read from the file itself."""
    with connect(path, read_only=True) as connection:
        row = connection.execute("select build_id, run_id, as_of from ops.build").fetchone()
        assert row is not None  # noqa: S101 - written by _build in the same transaction
        rows = connection.execute(
            "select table_name, row_count, digest from ops.build_tables order by rowid"
        ).fetchall()
        tables = tuple(_facts(*facts) for facts in rows)
        return Candidate(path, row[0], row[1], row[2], tables)


def is_whole(path: Path) -> bool:
    """Whether a candidate was built to its end; what it says of itself is written last."""
    try:
        return path.exists() and bool(describe_candidate(path).tables)
    except (duckdb.Error, AssertionError):
        return False


def table_facts(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, catalog: str = ""
) -> TableFacts:
    """Rows and digest of a table: a sum of row hashes, so the order of rows does not count."""
    quoted = name(*filter(None, (catalog, schema, table)))
    columns = connection.execute(f"describe {quoted}").fetchall()
    shape = ",".join(f"{column[0]} {column[1]}" for column in columns)
    row = connection.execute(
        f"select count(*), coalesce(sum(hash(row_, 1)), 0), coalesce(sum(hash(row_, 2)), 0)"
        f" from {quoted} row_"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always has one row
    rows, one, two = row
    digest = hashlib.sha256(f"{shape}|{rows}|{one}|{two}".encode()).hexdigest()[:32]
    return TableFacts(schema, table, int(rows), digest)


# Every relation of the public schemas ($2) of a catalog ($1).
_RELATIONS = """
    select schema_name, table_name as name, comment
    from duckdb_tables()
    where database_name = $1 and list_contains($2, schema_name) and not temporary
    union all
    select schema_name, view_name as name, comment
    from duckdb_views()
    where database_name = $1 and list_contains($2, schema_name) and not temporary and not internal
"""

_RUN_FIRST = "Run `regulars run` (or `make demo`) first."


def _build(home: Home, run: RunFacts, further: Further | None) -> Candidate:
    with connect(home.candidate) as connection:
        connection.execute(f"attach {literal(home.warehouse)} as warehouse (read_only)")
        names = _tables(connection, "warehouse")
        if not any(schema == "marts" for schema, _ in names):
            raise RegularsError("The warehouse has no marts to publish.", _RUN_FIRST)
        # One transaction: by itself each table and each comment would wait for the disk
        connection.begin()
        for schema in SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        for schema, table in names:
            _copy_table(connection, schema, table)
        _copy_comments(connection)
        if further is not None:
            further(connection)
            names = _tables(connection, _own_catalog(connection))
        tables = tuple(table_facts(connection, schema, table) for schema, table in names)
        build_id = _build_id(run.as_of, tables)
        _write_build(connection, build_id, run, tables)
        connection.commit()
        connection.execute("detach warehouse")
        connection.execute("checkpoint")
    return Candidate(home.candidate, build_id, run.run_id, run.as_of, tables)


def _facts(full_name: str, rows: int, digest: str) -> TableFacts:
    schema, _, table = full_name.partition(".")
    return TableFacts(schema, table, rows, digest)


def _own_catalog(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("select current_database()").fetchone()
    assert row is not None  # noqa: S101 - a scalar always makes one row
    return str(row[0])


def _tables(connection: duckdb.DuckDBPyConnection, catalog: str) -> list[tuple[str, str]]:
    """Tables and views; of either the copy holds the rows, for a view would point back."""
    rows = connection.execute(
        f"select schema_name, name from ({_RELATIONS}) order by all", [catalog, list(SCHEMAS)]
    ).fetchall()
    return [(str(schema), str(table)) for schema, table in rows]


def _copy_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    """Copy in a total order that is cheap: the first column, then a hash of the row."""
    quoted = name(schema, table)
    connection.execute(
        f"create table {quoted} as select * from warehouse.{quoted} row_ order by #1, hash(row_)"
    )


def _copy_comments(connection: duckdb.DuckDBPyConnection) -> None:
    tables = connection.execute(
        f"select schema_name, name, comment from ({_RELATIONS}) where comment is not null",
        ["warehouse", list(SCHEMAS)],
    ).fetchall()
    columns = connection.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns()"
        " where database_name = 'warehouse' and schema_name in ? and comment is not null",
        [list(SCHEMAS)],
    ).fetchall()
    for *parts, text in tables:
        connection.execute(f"comment on table {name(*parts)} is {literal(text)}")
    for *parts, text in columns:
        connection.execute(f"comment on column {name(*parts)} is {literal(text)}")


def _build_id(as_of: datetime, tables: tuple[TableFacts, ...]) -> str:
    content = [
        [table.full_name, table.rows, table.digest]
        for table in sorted(tables, key=lambda table: table.full_name)
        if table.schema in CONTENT_SCHEMAS and table.full_name not in OF_THE_LEDGER
    ]
    return hashlib.sha256(json.dumps([as_of.isoformat(), content]).encode()).hexdigest()[:32]


def _write_build(
    connection: duckdb.DuckDBPyConnection,
    build_id: str,
    run: RunFacts,
    tables: tuple[TableFacts, ...],
) -> None:
    connection.execute(
        "create table ops.build as select ?::varchar as build_id, ?::varchar as run_id,"
        " ?::timestamp as as_of",
        [build_id, run.run_id, run.as_of],
    )
    connection.execute(
        "create table ops.build_tables (table_name varchar, row_count bigint, digest varchar)"
    )
    if tables:
        connection.executemany(
            "insert into ops.build_tables values (?, ?, ?)",
            [[table.full_name, table.rows, table.digest] for table in tables],
        )
    comments = {
        "table ops.build": "One row: which build this file is.",
        "column ops.build.build_id": "Digest of the public tables and as_of; equal ids mean equal"
        " tables.",
        "column ops.build.run_id": "The run that built the file.",
        "column ops.build.as_of": "The moment (UTC) the tables describe.",
        "table ops.build_tables": "One row per table of this file.",
        "column ops.build_tables.table_name": "Schema and table.",
        "column ops.build_tables.row_count": "Rows in the table.",
        "column ops.build_tables.digest": "Digest of the content, whatever the order of rows.",
    }
    for target, text in comments.items():
        connection.execute(f"comment on {target} is {literal(text)}")
