"""Compares tables row by row: the floor's with the product's, and either with itself.

Belongs here: counting differing rows and digests of whole tables. Does not belong here: making any
table. A digest does not depend on the order of rows, and neither does the comparison.

The floor gives every person an id anew, the product keeps what an earlier run registered. So a
person of the floor may stand for one of the product under another id, if both have exactly the same
identifiers and one of the two ids was registered before this run. Nothing else is forgiven.
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
    kept_ids: int
    """People who are the same and have the id that they had before."""

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


def compare(floor: Path, product: Path, registry: Path | None = None) -> Comparison:
    """Every table of the floor, on the floor's columns, in both directions with duplicates.

    Args:
        floor: the floor's tables.
        product: the product's.
        registry: who had which id before this run, as Parquet; without it ids must be the same.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach '{floor}' as floor (read_only)")
        connection.execute(f"attach '{product}' as product (read_only)")
        kept = registry is not None and _find_kept_ids(connection, registry)
        tables = tables_of(connection, "floor")
        return Comparison([_difference(connection, t, bool(kept)) for t in tables], int(kept))


def _find_kept_ids(connection: duckdb.DuckDBPyConnection, registry: Path) -> int:
    """Write down whom the floor gave another id; the number of these people."""
    members = (
        "select customer_id, list(identifier_type || '|' || identifier_value "
        "order by identifier_type, identifier_value) as members "
        "from {}.marts.bridge_customer_identifiers group by customer_id"
    )
    connection.execute(f"""
        create temp table kept_ids as
        with registered as (select distinct customer_id from read_parquet('{registry}'))
        select mine.customer_id as floor_id, theirs.customer_id
        from ({members.format("floor")}) as mine
        inner join ({members.format("product")}) as theirs using (members)
        where mine.customer_id <> theirs.customer_id
            and (theirs.customer_id in (from registered) or mine.customer_id in (from registered))
    """)
    return _count(connection, "from kept_ids")


def _difference(
    connection: duckdb.DuckDBPyConnection, table: str, has_kept_ids: bool
) -> Difference:
    described = connection.execute(f"describe floor.{table}").fetchall()
    names = [row[0] for row in described]
    columns = ", ".join(f'"{name}"' for name in names)
    mine, theirs = (f"select {columns} from {place}.{table}" for place in ("floor", "product"))
    if has_kept_ids and "customer_id" in names:
        mine = (
            "select found.* replace (coalesce(kept.customer_id, found.customer_id) as customer_id) "
            f"from ({mine}) as found left join kept_ids as kept on found.customer_id = floor_id"
        )
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
