"""The tables that Spark built, held against DuckDB's of the same shop.

Belongs here: what counts as equal, and the list of differences. Does not belong here: building
either (build.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.duckdb import connect, literal, name

# Doubles may differ in what the order of additions leaves
RELATIVE, ABSOLUTE = 1e-9, 1e-12
NOT_BUILT = "not built on Spark"
FRACTIONS = ("DOUBLE", "FLOAT")


@dataclass(frozen=True)
class Difference:
    """How one table differs, in words that hold no row."""

    table: str
    what: str


def compare(
    warehouse: Path, spark_tables: Sequence[Path], schemas: Sequence[str], raw: Path | None = None
) -> tuple[list[str], list[Difference]]:
    """Names of the tables that are equal, and the differences of the others.

    Spark's lie in the first of the folders that has them whole; `raw` is what DuckDB's views read.
    Rows are matched by everything that is no fraction; then fractions have to be near each other.
    Whole numbers are alike whatever their width, and so are decimals.
    """
    equal, differences = [], []
    with connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {literal(warehouse)} as duck (read_only)")
        if raw is not None:
            connection.execute(f"attach {literal(raw)} as raw (read_only)")
        listed = connection.execute(
            "select table_schema, table_name from information_schema.tables where"
            " table_catalog = 'duck' and table_schema in (select unnest(?)) order by all",
            [list(schemas)],
        ).fetchall()
        for schema, table in listed:
            label = f"{schema}.{table}"
            folders = [each / f"{schema}.db" / table for each in spark_tables]
            folder = next((each for each in folders if (each / "_SUCCESS").exists()), None)
            if folder is None:
                differences.append(Difference(label, NOT_BUILT))
                continue
            words = _differences_of(connection, schema, table, _rows_of(connection, folder))
            differences += [Difference(label, what) for what in words]
            equal += [] if words else [label]
    return equal, differences


def compare_published(one: Path, other: Path) -> tuple[list[str], list[Difference]]:
    """The same of two published files, whichever engine built them: tables and views of both."""
    equal, differences = [], []
    with connect() as connection:
        for label, file in (("duck", one), ("spark", other)):
            connection.execute(f"attach {literal(file)} as {label} (read_only)")
        listed = connection.execute(
            "select table_schema, table_name, count(distinct table_catalog) = 2"
            " from information_schema.tables where table_catalog in ('duck', 'spark')"
            " group by all order by all"
        ).fetchall()
        for schema, table, is_in_both in listed:
            label = f"{schema}.{table}"
            words = ["in one of the files only"]
            if is_in_both:
                rows = f"from {name('spark', schema, table)}"
                words = _differences_of(connection, schema, table, rows)
            differences += [Difference(label, what) for what in words]
            equal += [] if words else [label]
    return equal, differences


def _differences_of(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, rows: str
) -> list[str]:
    connection.execute(f"create or replace temp table one as from {name('duck', schema, table)}")
    connection.execute(f"create or replace temp table other as {rows}")
    ones = {row[0]: row[1] for row in connection.execute("describe one").fetchall()}
    others = {row[0]: row[1] for row in connection.execute("describe other").fetchall()}
    words = []
    if list(ones) != list(others):
        words.append(f"columns: {sorted(set(ones) ^ set(others)) or 'in another order'}")
    for column in set(ones) & set(others):
        if _family(ones[column]) != _family(others[column]):
            words.append(f"{column}: {ones[column]} is {others[column]}")
    counts = [_number(connection, f"select count(*) from {each}") for each in ("one", "other")]
    if counts[0] != counts[1]:
        words.append(f"{counts[0]:,} rows are {counts[1]:,}")
    both = [column for column in ones if column in others]
    return words + (_rows_that_differ(connection, both, ones) if both else [])


def _family(kind: str) -> str:
    if kind.startswith("DECIMAL"):
        return "DECIMAL"
    return "whole" if kind.removeprefix("U") in _WHOLE else kind


_NOT_THERE = "select count(*) from (select {c} from one except all select {c} from other)"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


def _rows_that_differ(
    connection: duckdb.DuckDBPyConnection, columns: list[str], kinds: dict[str, str]
) -> list[str]:
    """Which columns differ, and in how many rows; rows stand in one order of all exact columns."""
    exact = [name(column) for column in columns if kinds[column] not in FRACTIONS]
    fractions = [name(column) for column in columns if kinds[column] in FRACTIONS]
    order = ", ".join(exact + fractions) or "1"
    for each in ("one", "other"):
        connection.execute(
            f"create or replace temp table {each}_ as select *, row_number() over"
            f" (order by {order}) as place_ from {each}"
        )
    words = []
    for column in exact:
        # As a set of values: one row too many must not show in every column
        missing = _number(connection, _NOT_THERE.format(c=column))
        if missing:
            words.append(f"{column}: {missing:,} values are others")
    if exact and not words and (rows := _number(connection, _NOT_THERE.format(c=", ".join(exact)))):
        words.append(f"{rows:,} rows combine their values otherwise")
    if words:
        return words
    for column in fractions:
        far = _number(
            connection,
            f"select count(*) from one_ join other_ using (place_) where"
            f" one_.{column} is distinct from other_.{column} and not coalesce("
            f"abs(one_.{column} - other_.{column}) <= {ABSOLUTE} + {RELATIVE} *"
            f" greatest(abs(one_.{column}), abs(other_.{column})), false)",
        )
        if far:
            words.append(f"{column}: {far:,} fractions are others")
    return words


def _rows_of(connection: duckdb.DuckDBPyConnection, table: Path) -> str:
    """A query of the rows that Spark wrote for a table: a moment there is UTC without saying so."""
    rows = f"read_parquet({literal(table / '*.parquet')})"
    columns = connection.execute(f"describe select * from {rows}").fetchall()
    chosen = (
        f"cast({name(column)} as timestamp) as {name(column)}"
        if kind == "TIMESTAMP WITH TIME ZONE"
        else name(column)
        for column, kind, *_ in columns
    )
    return f"select {', '.join(chosen)} from {rows}"


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
