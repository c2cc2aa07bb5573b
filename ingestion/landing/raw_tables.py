"""The raw store's tables: how they are declared to dlt and Arrow, and how many rows they hold.

Belongs here: schemas, marks for dlt, sizes. Does not belong here: deciding about rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingestion.duckdb import connect, name
from ingestion.landing.fields import BOOKKEEPING, DUCKDB_TYPES, QUARANTINE_COLUMNS, TableSpec

# Every row is new when it is handed over; the key only keeps a repeated load from doubling it.
# Of dlt's strategies, insert-only writes once and touches no row that is already there.
MERGE = {"disposition": "merge", "strategy": "insert-only"}
QUARANTINE_TABLE = "quarantine"
# What a source that stopped would have put aside. Nothing but the list for people reads it: those
# rows were not loaded, so they are received, judged and counted anew by the next run.
STOPPED_TABLE = "quarantine_of_a_stop"


def keep_of_a_stop(raw_path: Path, source: str, rows: list[pa.Table]) -> None:
    """Keep the bad rows of a source that stopped, in place of those of an earlier stop."""
    with connect(raw_path) as connection:
        connection.register("rows_of_the_stop", pa.concat_tables(rows))
        connection.execute(f"create schema if not exists {name(f'raw_{source}')}")
        connection.execute(
            f"create or replace table {name(f'raw_{source}', STOPPED_TABLE)} as "
            "select * from rows_of_the_stop"
        )


def forget_a_stop(raw_path: Path, source: str) -> None:
    """The source ran to its end: what an earlier run stopped at is judged anew."""
    if STOPPED_TABLE in table_sizes(raw_path, source):
        with connect(raw_path) as connection:
            connection.execute(f"drop table {name(f'raw_{source}', STOPPED_TABLE)}")


def table_resource(spec: TableSpec, rows: Iterable[Any]) -> Any:
    """The dlt resource of one raw table."""
    import dlt

    return dlt.resource(
        rows,
        name=spec.name,
        write_disposition=MERGE,
        primary_key="_row_id",
        columns=spec.dlt_columns(),
    )


def as_quarantine(table: pa.Table) -> Any:
    """Bad rows, marked for the source's `quarantine` table."""
    import dlt

    # Declared columns would be added to those of the resource; the Arrow schema says enough.
    hints = dlt.mark.make_hints(
        table_name=QUARANTINE_TABLE,
        write_disposition=MERGE,
        primary_key="quarantine_id",
        columns={},
    )
    return dlt.mark.with_hints(table, hints, create_table_variant=True)


def empty_tables(spec: TableSpec) -> list[Any]:
    """No rows for the table and its quarantine; dlt makes no table for which nothing comes."""
    rows = empty_table((*spec.stored_columns, *BOOKKEEPING), "_row_id")
    return [rows, as_quarantine(empty_table(QUARANTINE_COLUMNS, "quarantine_id"))]


def arrow_schema(columns: Iterable[tuple[str, Any]], key: str, table: pa.Table) -> pa.Schema:
    """The Arrow schema of declared columns, in the order of `table`, with a key never NULL."""
    declared = empty_table(columns, key).schema
    return pa.schema([declared.field(name) for name in table.column_names])


def empty_table(columns: Iterable[tuple[str, Any]], key: str) -> pa.Table:
    """No rows of the declared columns, so that the table exists without input."""
    arrow_types = {
        "varchar": pa.string(),
        "bigint": pa.int64(),
        "decimal(18,4)": pa.decimal128(18, 4),
        "decimal(26,12)": pa.decimal128(26, 12),
        "decimal(18,8)": pa.decimal128(18, 8),
        "boolean": pa.bool_(),
        "timestamp": pa.timestamp("us"),
        "date": pa.date32(),
    }
    fields = [
        pa.field(name, arrow_types[DUCKDB_TYPES[kind]], nullable=name != key)
        for name, kind in columns
    ]
    return pa.schema(fields).empty_table()


def widen_prices(raw_path: Path, source: str, specs: Iterable[TableSpec]) -> None:
    """Give the prices of a store that an older version made the digits that are declared now.

    dlt adds columns but changes none, and what it loads would be cut to the old digits.
    """
    if not raw_path.exists():
        return
    wanted = {
        (spec.name, column): DUCKDB_TYPES[kind]
        for spec in specs
        for column, kind in spec.stored_columns
        if kind == "price"
    }
    with connect(raw_path) as connection:
        columns = connection.execute(
            "select table_schema, table_name, column_name, lower(data_type) "
            "from information_schema.columns where table_schema in (?, ?)",
            [f"raw_{source}", f"raw_{source}_staging"],
        ).fetchall()
        for schema, table, column, stored in columns:
            declared = wanted.get((table, column))
            if declared and declared != stored:
                connection.execute(
                    f"alter table {schema}.{name(table)} "
                    f"alter column {name(column)} type {declared}"
                )


def table_sizes(raw_path: Path, source: str) -> dict[str, int]:
    """Rows per table of `raw_<source>`; empty where nothing was loaded yet."""
    if not raw_path.exists():
        return {}
    with connect(raw_path) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = ?",
            [f"raw_{source}"],
        ).fetchall()
        counts = {}
        for (table,) in tables:
            query = f"select count(*) from {name(f'raw_{source}', table)}"
            ((counts[table],),) = connection.execute(query).fetchall()
        return counts


def has_rows(raw_path: Path, source: str) -> bool:
    """Whether anything of the source was ever loaded or put aside."""
    sizes = table_sizes(raw_path, source)
    return any(size for table, size in sizes.items() if not table.startswith("_"))
