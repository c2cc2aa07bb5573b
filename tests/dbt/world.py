"""A hand-written world for golden tables: raw tables, ops export, one `dbt build`, a connection.

Belongs here: the shapes of the raw and ops tables that models read, and how to fill and build them.
Does not belong here: what any one test expects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from ingestion.landing.fields import DUCKDB_TYPES
from ingestion.registry import SOURCES
from orchestration.ops.shapes import arrow_columns, leaving
from tests.dbt.warm import run_dbt

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "dbt_project"

LOADED = "_row_id varchar, _run_id varchar, _file varchar, _line bigint, _dlt_load_id varchar"

# Every raw table and its columns as their sources declare them.
RAW: dict[str, str] = {
    f"raw_{source.name}.{spec.name}": ", ".join(
        f"{name} {DUCKDB_TYPES[kind]}" for name, kind in spec.stored_columns
    )
    for source in SOURCES.values()
    for spec in source.tables
}

SQL_TYPES = {
    "string": "varchar",
    "int64": "bigint",
    "bool": "boolean",
    "timestamp[us]": "timestamp",
}
OPS: dict[str, str] = {
    "run_context": "run_id varchar, as_of timestamp, code_version varchar",
    "quarantine": "source varchar, table_name varchar, reason varchar, row_count bigint",
    **{
        table.name: ", ".join(f"{n} {SQL_TYPES[str(kind)]}" for n, kind in arrow_columns(table))
        for table in leaving()
    },
}

Row = Mapping[str, Any]


class World:
    """One shop's data folder, with raw rows and an ops export that a test writes by hand."""

    def __init__(self, home: Path, as_of: str) -> None:
        self.home = home
        self.as_of = as_of
        self.load_number = 0
        self.lines = 0
        home.mkdir(parents=True, exist_ok=True)
        (home / "ops_export").mkdir(exist_ok=True)
        with duckdb.connect(str(home / "raw.duckdb")) as con:
            for table, columns in RAW.items():
                con.execute(f"create schema if not exists {table.split('.')[0]}")
                con.execute(f"create table if not exists {table} ({columns}, {LOADED})")
        for name in OPS:
            self.export(name, [])
        self.set_as_of(as_of)

    def set_as_of(self, as_of: str) -> None:
        """Move the run's "now"."""
        self.as_of = as_of
        run = {"run_id": "run", "as_of": as_of, "code_version": "test"}
        self.export("run_context", [run])

    def export(self, name: str, rows: Iterable[Row]) -> None:
        """Write one file of the ops export."""
        target = self.home / "ops_export" / f"{name}.parquet"
        with duckdb.connect() as con:
            con.execute(f"create table export ({OPS[name]})")
            _insert(con, "export", list(rows))
            con.execute(f"copy export to '{target}' (format parquet)")

    def new_load(self) -> None:
        """Later rows belong to a later load."""
        self.load_number += 1

    def add(self, table: str, rows: Iterable[Row], file: str = "file") -> None:
        """Append raw rows; dicts and lists become JSON text."""
        ready = []
        for row in rows:
            self.lines += 1
            ready.append(
                {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()}
                | {
                    "_row_id": f"row-{self.lines:08d}",
                    "_run_id": "run",
                    "_file": file,
                    "_line": self.lines,
                    "_dlt_load_id": f"{1_700_000_000 + self.load_number}.5",
                }
            )
        with duckdb.connect(str(self.home / "raw.duckdb")) as con:
            _insert(con, table, ready)

    def build(self, *arguments: str, variables: str = "{}", artifacts: bool = False) -> None:
        """Run dbt; a failure shows dbt's own words."""
        written = "--write-json" if artifacts else "--no-write-json"
        words = ("--no-use-colors", written, "build", *arguments)
        done = run_dbt(self.home, *words, variables=variables)
        assert done.returncode == 0, done.stdout[-8000:]

    def warehouse(self) -> duckdb.DuckDBPyConnection:
        """A read-only connection to what was built; the caller closes it."""
        con = duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True)
        con.execute(f"attach if not exists '{self.home / 'raw.duckdb'}' as raw (read_only)")
        return con


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    """Insert dictionaries; a column that a row does not name is NULL."""
    if not rows:
        return
    columns = sorted({key for row in rows for key in row})
    marks = ", ".join("?" for _ in columns)
    con.executemany(
        f"insert into {table} ({', '.join(columns)}) values ({marks})",
        [[row.get(column) for column in columns] for row in rows],
    )
