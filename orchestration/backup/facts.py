"""How many rows every table of both stores has, and a digest of what stands in them.

Belongs here: reading the tables whole, so that two copies of a home can be compared and a page that
cannot be read is noticed. Does not belong here: what a table means, or any value of one.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ingestion.duckdb import connect, name
from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.home.sqlite_file import read_only_sqlite

_ROWS_AT_ONCE = 10_000
_OWN = "sqlite_%"  # SQLite's own tables


@dataclass(frozen=True)
class TableFacts:
    """Rows of a table, and a digest of them that does not depend on their order."""

    rows: int
    digest: str


def facts_of(home: Home) -> dict[str, TableFacts]:
    """Of every table of the raw and the operational store, by `ops.sqlite/runs`.

    Raises:
        RegularsError: a table cannot be read to its end.
    """
    facts_by_table = {}
    for path, tables in ((home.raw, _of_duckdb), (home.ops, _of_sqlite)):
        if path.exists():
            for table, facts in tables(path):
                facts_by_table[f"{path.name}/{table}"] = facts
    return facts_by_table


def differing(
    recorded: Mapping[str, Mapping[str, Any]],
    current: Mapping[str, TableFacts],
    *,
    same_engine: bool,
) -> list[str]:
    """The tables that are not as they were recorded, by name.

    Args:
        recorded: rows and digest by table, as a backup keeps them.
        current: what is there now.
        same_engine: whether DuckDB is of the version that made the digests; those of another
            version differ, and rows alone are compared.
    """

    def seen(table: str, rows: Any, digest: Any) -> tuple[Any, Any]:
        return rows, digest if same_engine or table.startswith("ops.sqlite/") else ""

    then = {table: seen(table, facts["rows"], facts["digest"]) for table, facts in recorded.items()}
    now = {table: seen(table, facts.rows, facts.digest) for table, facts in current.items()}
    return sorted(table for table in then.keys() | now.keys() if then.get(table) != now.get(table))


def engine() -> str:
    """The version of DuckDB, on which the digests of its tables depend."""
    return str(duckdb.__version__)


def _of_duckdb(path: Path) -> Iterator[tuple[str, TableFacts]]:
    try:
        with connect(path, read_only=True) as connection:
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() order by all"
            ).fetchall()
            for schema, table in tables:
                source = name(schema, table)
                described = connection.execute(f"select * from {source} limit 0").description
                columns = ", ".join(name(column[0]) for column in described)
                ((rows, digest),) = connection.execute(
                    f"select count(*), coalesce(sum(hash({columns})), 0)::varchar from {source}"
                ).fetchall()
                yield f"{schema}.{table}", TableFacts(rows, digest)
    except duckdb.Error as error:
        raise _damaged(path) from error


def _of_sqlite(path: Path) -> Iterator[tuple[str, TableFacts]]:
    try:
        with read_only_sqlite(path) as connection:
            tables = connection.execute(
                "select name from sqlite_master where type = 'table' and name not like ?"
                " order by name",
                [_OWN],
            ).fetchall()
            for (table,) in tables:
                yield table, _digested(connection.execute(f"select * from {name(table)}"))
    except sqlite3.Error as error:
        raise _damaged(path) from error


def _digested(cursor: sqlite3.Cursor) -> TableFacts:
    count = total = 0
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        count += len(rows)
        for row in rows:
            total += int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=8).digest())
    return TableFacts(count, str(total))


def _damaged(path: Path) -> RegularsError:
    return RegularsError(
        f"A table of {path.name} cannot be read to its end: the file is damaged.",
        "Restore the newest backup that can be restored into another folder.",
    )
