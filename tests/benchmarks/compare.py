"""Compares tables row by row: the floor's with the product's, and either with itself.

Belongs here: counting differing rows and digests of whole tables. Does not belong here: making any
table. A digest does not depend on the order of rows, and neither does the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

SCHEMAS = ("marts", "segments")


@dataclass(frozen=True)
class Difference:
    """One table of the floor beside the product's table of that name."""

    table: str
    rows: int
    columns: int
    only_floor: int
    only_product: int

    @property
    def is_equal(self) -> bool:
        """Whether every row is in both, equally often."""
        return not (self.only_floor or self.only_product)


@dataclass(frozen=True)
class Comparison:
    """Every table of the floor beside the product's."""

    differences: list[Difference]

    @property
    def unequal(self) -> list[str]:
        """The tables that differ."""
        return [difference.table for difference in self.differences if not difference.is_equal]


def tables_of(connection: duckdb.DuckDBPyConnection, catalog: str) -> list[str]:
    """The compared tables of an attached database, as `schema.table`."""
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = ? and schema_name in ('marts', 'segments') order by all",
        [catalog],
    ).fetchall()
    return [name for (name,) in rows]


def compare(floor: Path, product: Path) -> Comparison:
    """Every table of the floor, on the floor's columns, in both directions with duplicates."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{floor}' as floor (read_only)")
        connection.execute(f"attach '{product}' as product (read_only)")
        return Comparison([_difference(connection, t) for t in tables_of(connection, "floor")])


def _difference(connection: duckdb.DuckDBPyConnection, table: str) -> Difference:
    described = connection.execute(f"describe floor.{table}").fetchall()
    columns = ", ".join(f'"{row[0]}"' for row in described)
    mine, theirs = (f"select {columns} from {place}.{table}" for place in ("floor", "product"))
    return Difference(
        table=table,
        rows=_count(connection, mine),
        columns=len(described),
        only_floor=_count(connection, f"{mine} except all {theirs}"),
        only_product=_count(connection, f"{theirs} except all {mine}"),
    )


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(f"select count(*) from ({query})").fetchone()
    assert row is not None
    return int(row[0])


def digests(path: Path) -> dict[str, str]:
    """A digest of each compared table: the rows' hashes added up, and their number."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as store (read_only)")
        found = {}
        for table in tables_of(connection, "store"):
            row = connection.execute(
                f"select count(*), sum(hash(whole)::hugeint) from store.{table} as whole"
            ).fetchone()
            assert row is not None
            found[table] = f"{row[0]}:{row[1]}"
        return found
