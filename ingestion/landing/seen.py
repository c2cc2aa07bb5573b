"""What a run already knows of a source: the rows it has let in, and those of earlier runs.

`Seen` outlives the batches of a run and ends with it; `StoredRows` is the raw store as it was
before the run, which a session in memory may look into.

Belongs here: ids and counts of rows, their names in the scratch database. Does not belong here:
what one batch needs for itself (`steps.py`), deciding what becomes of a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.duckdb import literal, name
from ingestion.landing.fields import TableSpec

HELD_IDS = "held_ids"
GOOD_IDS = "good_ids"


class Seen:
    """Ids of the rows that this run has let in or held, and how often each line key was read.

    Relations in the scratch database, each written by the method that is named:

    | relation | one row per | columns | written by |
    |---|---|---|---|
    | `row_ids(spec)` | row let in | id, in a number's 16 bytes | `add_rows` |
    | `line_counts(spec)` | file being read × line key | file, id, n | the batch that counts lines |
    | `held_ids` | row for quarantine, new or known | id | `add_held` |
    | `good_ids` | good row, new or known | id | `add_good` |
    """

    def __init__(self, session: duckdb.DuckDBPyConnection) -> None:
        """Empty ids of held and of good rows."""
        self._session = session
        for relation in (HELD_IDS, GOOD_IDS):
            session.execute(f"create table {relation} (id varchar)")

    def begin(self, spec: TableSpec) -> None:
        """Leaves `row_ids` and `line_counts` of the table, empty where it is begun first: a table
        may be admitted in parts, by files of several layouts."""
        self._session.execute(f"create table if not exists {self.row_ids(spec)} (id uuid)")
        self._session.execute(
            f"create table if not exists {self.line_counts(spec)} "
            "(file varchar, id varchar, n bigint)"
        )

    def row_ids(self, spec: TableSpec) -> str:
        """The relation of the row ids of `spec` that this run has let in."""
        return name(f"row_ids.{spec.name}")

    def line_counts(self, spec: TableSpec) -> str:
        """The relation of how often the file being read has had each line key so far."""
        return name(f"line_counts.{spec.name}")

    def add_rows(self, spec: TableSpec, ids: str) -> None:
        """Adds the ids that the query `ids` gives to those let in."""
        self._session.execute(f"insert into {self.row_ids(spec)} {ids}")

    def add_held(self, ids: str) -> None:
        """Adds the ids that the query `ids` gives to those held for quarantine."""
        self._session.execute(f"insert into {HELD_IDS} {ids}")

    def add_good(self, ids: str) -> None:
        """Adds the ids that the query `ids` gives to those of good rows."""
        self._session.execute(f"insert into {GOOD_IDS} {ids}")

    def all_ids(self, relation: str) -> set[str]:
        """The ids of `held_ids` or `good_ids`."""
        return {row[0] for row in self._session.execute(f"select id from {relation}").fetchall()}


@dataclass(frozen=True)
class StoredRows:
    """The tables of `raw_<source>` as they were before the run.

    Args:
        source: the source.
        path: the raw store, which need not exist yet.
        sizes: rows per table.
    """

    source: str
    path: Path
    sizes: dict[str, int]

    def has_rows(self, table: str) -> bool:
        """Whether earlier runs left rows in the table."""
        return bool(self.sizes.get(table))

    @contextmanager
    def opened(self, session: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
        """The table's name in the session, for as long as the raw store is attached read-only."""
        session.execute(f"attach {literal(self.path)} as raw (read_only)")
        try:
            yield name("raw", f"raw_{self.source}", table)
        finally:
            session.execute("detach raw")
