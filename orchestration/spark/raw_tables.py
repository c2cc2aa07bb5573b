"""What models read, as Parquet files for Spark: raw, the ops export and science.

Belongs here: the copies, exact to the last bit. Does not belong here: telling Spark (catalogue.py).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ingestion.duckdb import connect, literal, name
from orchestration.home.layout import Home
from orchestration.spark.store import SparkStore

OPS_SCHEMA, SCIENCE_SCHEMA = "ops_export", "science"
ROWS = "rows.parquet"
# The run whose raw was copied; its two calls of dbt read the same
_COPIED = "raw_of_run.txt"

# dlt's own bookkeeping and the tables it fills first; no model reads them
TABLES = r"""
select table_schema, table_name
from information_schema.tables
where
    table_schema like 'raw\_%' escape '\' and table_schema not like '%\_staging' escape '\'
    and table_type = 'BASE TABLE'
order by all
"""


def copy_for_spark(home: Home, store: SparkStore, run_id: str) -> None:
    """Bring what models read up to date: raw once in a run, ops and science for each call.

    Raises:
        duckdb.Error: raw cannot be read, or the disk is full.
        OSError: the disk is full, or the folder cannot be written.
    """
    store.create()
    done = store.read / _COPIED
    if not done.exists() or done.read_text("utf-8") != run_id:
        done.unlink(missing_ok=True)
        for folder in store.read.glob("raw_*"):
            shutil.rmtree(folder)
        export_raw(home.raw, store.read)
        done.write_text(run_id, "utf-8")
    for schema, exported in ((OPS_SCHEMA, home.ops_export), (SCIENCE_SCHEMA, home.science)):
        shutil.rmtree(store.read / schema, ignore_errors=True)
        for path in sorted(exported.glob("*.parquet")):
            folder = store.read / schema / path.stem
            folder.mkdir(parents=True, mode=0o700)
            shutil.copyfile(path, folder / ROWS)


def export_raw(raw: Path, folder: Path) -> int:
    """Write each table of raw to `folder/<schema>/<table>/rows.parquet`; the number of tables.

    Each table has a folder of its own: Spark takes a file whose name begins with an underscore, as
    some of our tables' names do, for one of its own.
    """
    with connect(raw, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        listed = connection.execute(TABLES).fetchall()
        for schema, table in listed:
            path = folder / schema / table / ROWS
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection.execute(
                f"copy {name(schema, table)} to {literal(path)} (format parquet, compression zstd)"
            )
    return len(listed)
