"""The tables that Spark built, back in the warehouse, exactly as DuckDB would have them.

Belongs here: the rows. Does not belong here: the empty tables they go into, whose columns, types
and comments are DuckDB's own (orchestration/run/engines.py).

Data flow: <catalogue>/tables/<schema>.db/<table>/*.parquet -> warehouse.duckdb.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from ingestion.duckdb import connect, literal, name
from ingestion.errors import RegularsError
from orchestration.spark.store import SparkStore

_TABLES = """
select table_schema, table_name
from information_schema.tables
where table_type = 'BASE TABLE' and table_schema <> 'seeds'
order by all
"""


def bring_back(warehouse: Path, store: SparkStore, names: Collection[str]) -> int:
    """Fill the warehouse's tables of these models with Spark's rows; how many were filled.

    All of them or none: a table that is full and one that is not would not belong together.

    Raises:
        RegularsError: a table is not there, or has other columns.
        duckdb.Error: a value does not fit, or the disk is full.
    """
    with connect(warehouse) as connection:
        connection.execute("set TimeZone = 'UTC'")
        listed = [row for row in connection.execute(_TABLES).fetchall() if row[1] in names]
        connection.begin()
        for schema, table in listed:
            fill(connection, schema, table, store.tables / f"{schema}.db" / table)
        connection.commit()
        connection.execute("checkpoint")
    return len(listed)


def fill(connection: duckdb.DuckDBPyConnection, schema: str, table: str, folder: Path) -> None:
    """Put the rows of a folder of Parquet files in the place of a table's."""
    if not (folder / "_SUCCESS").exists():
        raise RegularsError(f"Spark did not build {schema}.{table}.", "Run again.")
    source = f"read_parquet({literal(folder / '*.parquet')})"
    theirs = dict(row[:2] for row in connection.execute(f"describe from {source}").fetchall())
    ours = dict(row[:2] for row in connection.execute(f"describe {name(schema, table)}").fetchall())
    if differing := sorted(set(ours) ^ set(theirs)):
        raise RegularsError(
            f"Spark's {schema}.{table} has other columns than DuckDB's: {', '.join(differing)}.",
            "Run once with --full-refresh.",
        )
    columns = ", ".join(name(column) for column in ours)
    values = ", ".join(as_duckdb_has_it(column, theirs[column], ours[column]) for column in ours)
    connection.execute(f"delete from {name(schema, table)}")
    connection.execute(
        f"insert into {name(schema, table)} ({columns}) select {values} from {source}"
    )


def as_duckdb_has_it(column: str, theirs: str, ours: str) -> str:
    """A column of Spark's as SQL of our type.

    A moment there is UTC without saying so; a whole number without a sign has one there.
    """
    quoted = name(column)
    if theirs == "BIGINT" and ours == "UBIGINT":
        return (
            f"cast(case when {quoted} < 0 then cast({quoted} as hugeint) + 18446744073709551616"
            f" else {quoted} end as ubigint)"
        )
    return f"cast({quoted} as {ours})"
