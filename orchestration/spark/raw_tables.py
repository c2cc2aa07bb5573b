"""Raw as Parquet files, which Spark reads.

Belongs here: the copy, exact to the last bit. Does not belong here: telling Spark (catalogue.py).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ingestion.duckdb import connect, literal, name

# dlt's own bookkeeping and the tables it fills first; no model reads them
_TABLES = r"""
select table_schema, table_name
from information_schema.tables
where
    table_schema like 'raw\_%' escape '\' and table_schema not like '%\_staging' escape '\'
    and table_type = 'BASE TABLE'
order by all
"""


def export_raw(raw: Path, folder: Path) -> int:
    """Write each table of raw to `folder/<schema>/<table>/rows.parquet`; the number of tables.

    Args:
        raw: the raw store.
        folder: is replaced. Each table has a folder of its own: Spark takes a file whose name
            begins with an underscore, as some of our tables' names do, for one of its own.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with connect(raw, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        listed = connection.execute(_TABLES).fetchall()
        for schema, table in listed:
            path = folder / schema / table / "rows.parquet"
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection.execute(
                f"copy {name(schema, table)} to {literal(path)} (format parquet, compression zstd)"
            )
    return len(listed)
