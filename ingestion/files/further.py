"""Further rows of a source's files: what was added since they were last read, by the same readers.

Belongs here: which files have more, the part of each that is new, and its rows as they would be
loaded. Does not belong here: loading them, which a run does from the whole file; where it is kept
how far files were read (orchestration/activation/pulse).

A line that is not finished waits: whoever writes the file is at work on it. Rows that cannot be
used are counted and left to the run, which reads them again and puts them into quarantine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import pyarrow as pa

from ingestion.config import Quarantine
from ingestion.files.folder import BrokenFileError, InputFile, InputFolder
from ingestion.files.source import FolderSource
from ingestion.landing.fields import BOOKKEEPING, TableSpec
from ingestion.landing.intake import Intake
from ingestion.landing.raw_tables import empty_table

# Of one file, between two runs; a larger part is left to the run.
PART_LIMIT = 256 * 1024 * 1024
_NO_LIMITS = Quarantine(max_share=1.0, max_rows=10**12, accept=("*",))
_LINES = ("json", "csv")
_NO_STORE = Path(os.devnull) / "raw"  # nothing can lie there


@dataclass(frozen=True)
class Position:
    """How far a file was read: so many bytes of it, when it looked like this."""

    size: int
    fingerprint: str


@dataclass(frozen=True)
class FurtherRows:
    """What is new. `rows`: as the raw table would have them; `ends`: by path how far each file was
    read; `bad`: rows that cannot be used; `left`: files whose new part is left to the run."""

    rows: pa.Table
    ends: dict[str, Position] = field(default_factory=dict)
    bad: int = 0
    left: int = 0


@dataclass(frozen=True)
class _Parts(InputFolder):
    """The folder with the parts of files that are to be read in place of the whole."""

    parts: Mapping[str, bytes] = field(default_factory=dict)

    @contextmanager
    def open(self, file: InputFile) -> Iterator[IO[bytes]]:
        if file.path in self.parts:
            yield pa.BufferReader(self.parts[file.path])
            return
        with super().open(file) as stream:
            yield stream


def read_further(
    source: FolderSource,
    spec: TableSpec,
    folder: InputFolder,
    known: Callable[[InputFile], Position | None],
) -> FurtherRows:
    """The rows of a table that files have beyond what is known of them.

    Args:
        source: whose files are read.
        spec: its table.
        folder: where they lie.
        known: how far a file was read; None where it is to be read from its beginning.
    """
    parts: dict[str, bytes] = {}
    ends: dict[str, Position] = {}
    chosen, left = [], 0
    for file in source.files(folder):
        position = known(file)
        if position is not None and position.fingerprint == file.fingerprint:
            continue
        if file.problem or file.size - (position.size if position else 0) > PART_LIMIT:
            left += 1
            continue
        part = _part(file, position)
        if part is None:
            ends[file.path] = Position(file.size, file.fingerprint)
        else:
            parts[file.path], ends[file.path] = part
        chosen.append(file)
    reading = _Parts(**{name: getattr(folder, name) for name in folder.__dataclass_fields__})
    rows, bad = _read(source, spec, replace(reading, parts=parts), chosen)
    return FurtherRows(rows, ends, bad, left)


def no_rows(spec: TableSpec) -> pa.Table:
    """The raw table without a row."""
    return empty_table((*spec.stored_columns, *BOOKKEEPING), "_row_id")


def _part(file: InputFile, position: Position | None) -> tuple[bytes, Position] | None:
    """The new lines of a file of lines and how far they go; None for one that is read whole."""
    if file.format not in _LINES or file.codec or not Path(file.url).is_file():
        return None
    with Path(file.url).open("rb") as stream:
        start = position.size if position and file.format == "json" else 0
        if start:
            stream.seek(start - 1)
            if stream.read(1) != b"\n":
                start = 0  # it is another file by now
        stream.seek(start)
        content = stream.read(PART_LIMIT + 1)[:PART_LIMIT]
    if not start and content.lstrip()[:1] == b"[":
        return None
    finished = content.rfind(b"\n") + 1
    if file.format == "json" and _is_json(content[finished:]):
        finished = len(content)
    if not start and not finished:
        return None if file.format == "json" and content.strip() else (b"", Position(0, ""))
    is_all = start + finished >= file.size
    return content[:finished], Position(start + finished, file.fingerprint if is_all else "")


def _is_json(line: bytes) -> bool:
    with suppress(ValueError):
        return isinstance(json.loads(line), dict)
    return False


def _read(
    source: FolderSource, spec: TableSpec, folder: InputFolder, files: list[InputFile]
) -> tuple[pa.Table, int]:
    """The rows of these files, judged as a run judges them; nothing of earlier runs is known."""
    nothing = no_rows(spec)
    inputs = [part for part in source.route(folder, files, True) if part.spec.name == spec.name]
    intake = Intake(source.name, _NO_STORE, "further", _NO_LIMITS, len(inputs))
    tables = [nothing]
    try:
        for part in inputs:
            reader = part.reader(folder)
            with suppress(BrokenFileError):
                for rows in intake.admit(part.spec, reader.batches(part.files), reader.rejects):
                    if isinstance(rows, pa.Table) and rows.num_rows:
                        tables.append(rows.select(nothing.column_names).cast(nothing.schema))
        bad = sum(tally.bad for tally in intake.tallies.values())
    finally:
        intake.close()
    return pa.concat_tables(tables), bad
