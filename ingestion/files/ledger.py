"""Which files have been read: one row per path in `raw_<source>._files`.

The ledger lies in the raw store beside the rows it speaks of, so restoring or losing one restores
or loses the other. It is written only after a load has been checked: a run killed before that
reads its files again, and what had been loaded already counts as duplicate.

Belongs here: reading and writing that table. Does not belong here: reading the files themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ingestion.duckdb import connect
from ingestion.files.folder import InputFile

# A new version of a source's declaration has its own mark here, which re-reads refused files.
DECLARATION = "<declaration>"
# The content of a mapping; with another mapping the same lines mean something else.
SETTINGS = "<settings>"


@dataclass(frozen=True)
class Entry:
    """What was read: `problem` is the reason code of a file that could not be used."""

    path: str
    fingerprint: str
    rows: int
    problem: str


def export_path(name: str) -> str:
    """Where the mark of an export's declaration stands; with another one its rows mean another
    thing."""
    return f"<export {name}>"


def read_ledger(raw_path: Path, source: str) -> dict[str, Entry]:
    """The entries by path; empty where the source was never loaded."""
    if not raw_path.exists():
        return {}
    with connect(raw_path) as connection:
        has_table = connection.execute(
            "select 1 from information_schema.tables "
            "where table_schema = ? and table_name = '_files'",
            [f"raw_{source}"],
        ).fetchone()
        if not has_table:
            return {}
        rows = connection.execute(
            f"select path, fingerprint, row_count, problem from raw_{source}._files"
        ).fetchall()
    return {row[0]: Entry(*row) for row in rows}


def write_ledger(raw_path: Path, source: str, entries: Iterable[Entry], run_id: str) -> None:
    """Add or replace entries, and clear the whole-file rows of quarantine they supersede."""
    written = [
        {
            "path": entry.path,
            "fingerprint": entry.fingerprint,
            "row_count": entry.rows,
            "problem": entry.problem,
            "run_id": run_id,
        }
        for entry in entries
    ]
    columns = [pa.field(name, pa.string()) for name in ("path", "fingerprint")]
    columns += [pa.field("row_count", pa.int64())]
    columns += [pa.field(name, pa.string()) for name in ("problem", "run_id")]
    with connect(raw_path) as connection:
        connection.execute(
            f"create table if not exists raw_{source}._files "
            "(path varchar, fingerprint varchar, row_count bigint, problem varchar, run_id varchar)"
        )
        connection.execute("begin")
        connection.register("written", pa.Table.from_pylist(written, schema=pa.schema(columns)))
        connection.execute(
            f"delete from raw_{source}._files where path in (select path from written)"
        )
        connection.execute(f"insert into raw_{source}._files by name select * from written")
        connection.execute(
            f"delete from raw_{source}.quarantine where line = 0 "
            f"and file in (select path from raw_{source}._files where problem = '')"
        )
        connection.execute("commit")


def forget_files(raw_path: Path, source: str, table: str, paths: list[str]) -> None:
    """Drop what was read from these files, so that they are read again under a new mapping."""
    with connect(raw_path) as connection:
        connection.execute("begin")
        chosen = "in (select unnest(?))"
        connection.execute(f"delete from raw_{source}.{table} where _file {chosen}", [paths])
        connection.execute(
            f"delete from raw_{source}.quarantine where table_name = ? and file {chosen}",
            [table, paths],
        )
        connection.execute(f"delete from raw_{source}._files where path {chosen}", [paths])
        connection.execute("commit")


def keep_only(raw_path: Path, source: str, table: str, row_ids: Iterable[str]) -> int:
    """Drop the rows that are not among these, which their source no longer says; how many."""
    with connect(raw_path) as connection:
        row = connection.execute(
            f"delete from raw_{source}.{table} where _row_id not in (select unnest(?::varchar[]))",
            [sorted(row_ids)],
        ).fetchone()
        return int(row[0]) if row else 0


def unread(files: list[InputFile], ledger: dict[str, Entry], redeclared: bool) -> list[InputFile]:
    """The files that are new or changed, and the refused ones if the declaration changed."""
    return [file for file in files if _is_unread(file, ledger.get(file.path), redeclared)]


def _is_unread(file: InputFile, entry: Entry | None, redeclared: bool) -> bool:
    if entry is None or entry.fingerprint != file.fingerprint:
        return True
    return bool(entry.problem) and redeclared
