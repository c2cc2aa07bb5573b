"""Web events that arrived since the run whose file is published: rows of files and of the inbox.

Belongs here: how far each file was read, kept in the operational store; which part of it no
published run has read. Does not belong here: reading the part (ingestion/files/further.py).

Rows that a pulse has read count as new once, and are read again with each pulse until a run that
began later has published them: until then they stand in no table, and no copy of them is kept
beside the files. What a run began to read was there before it began; a file that nobody noted is
read from its beginning where it was written after that.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Connection, select

from ingestion.config import Settings
from ingestion.files.folder import InputFile, InputFolder
from ingestion.files.further import Position, no_rows, read_further
from ingestion.input_folder import shop_patterns, with_inbox
from ingestion.sources.web import EVENTS, SOURCE
from orchestration.home.kind import is_demo, own_input
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import Store, to_micros, upsert
from orchestration.published.reader import read_build

READ = "pulse_read"  # of the store's meta


@dataclass(frozen=True)
class Note:
    """How far a file was read at a moment (microseconds), and how many rows that came to."""

    at: int
    size: int
    fingerprint: str
    rows: int

    @property
    def position(self) -> Position:
        """How far that was."""
        return Position(self.size, self.fingerprint)


Notes = dict[str, list[Note]]  # by path, oldest first


@dataclass(frozen=True)
class Arrivals:
    """What arrived. `rows`: of raw_web.events, of no published run; `new_count`: those of them that
    no pulse has read before; `bad_count`: rows that cannot be used; `left_count`: files left to the
    run; `notes`: how far files are read by now."""

    rows: pa.Table
    new_count: int
    bad_count: int
    left_count: int
    notes: Notes


def read_arrivals(home: Home, settings: Settings, store: Store, read_at: datetime) -> Arrivals:
    """Read what no published run has read; writes nothing.

    Args:
        home: whose published file and inbox are meant.
        settings: the shop's; the input is theirs, the pretend shop's its own.
        store: the operational store.
        read_at: the machine's moment, naive UTC, as runs note when they began.

    Raises:
        NoInputError: the settings' input cannot be opened.
    """
    with store.read() as connection:
        began = _began(connection, home)
        notes = {path: _since(each, began) for path, each in _notes(connection).items()}

    def of_the_run(file: InputFile) -> Position | None:
        known = notes.get(file.path)
        if known:
            return known[0].position if known[0].at < began else None
        return Position(file.size, file.fingerprint) if _was_there(file, began) else None

    folder = _folder(home, settings)
    if folder is None or not SOURCE.own(settings).is_on:
        return Arrivals(no_rows(EVENTS), 0, 0, 0, notes)
    further = read_further(SOURCE, EVENTS, folder, of_the_run)
    counts = Counter(further.rows["_file"].to_pylist())
    new_count = 0
    for path, end in further.ends.items():
        known = notes.get(path, [])
        base = known[0].rows if known and known[0].at < began else 0
        rows = base + counts[path]
        new_count += max(rows - (known[-1].rows if known else 0), 0)
        if not known or known[-1].position != end:
            notes[path] = [*known, Note(to_micros(read_at), end.size, end.fingerprint, rows)]
    return Arrivals(further.rows, new_count, further.bad, further.left, notes)


def note_read(connection: Connection, notes: Notes) -> None:
    """Remember how far files were read."""
    value = {path: [list(astuple(each)) for each in known] for path, known in notes.items()}
    row = {"key": READ, "value": json.dumps(value, sort_keys=True)}
    upsert(connection, schema.meta, [row])


def _notes(connection: Connection) -> Notes:
    query = select(schema.meta.c.value).where(schema.meta.c.key == READ)
    known = json.loads(connection.execute(query).scalar() or "{}")
    return {path: [Note(*each) for each in notes] for path, notes in known.items()}


def _since(notes: list[Note], began: int) -> list[Note]:
    """The last of before the run began, which read as far at least, and those after it."""
    before = [each for each in notes if each.at < began]
    return [*before[-1:], *(each for each in notes if each.at >= began)]


def _began(connection: Connection, home: Home) -> int:
    """When the run began whose file is published, microseconds; 0 where nobody knows."""
    _, run_id, _ = read_build(home.published)
    query = select(schema.runs.c.started_at).where(schema.runs.c.run_id == run_id)
    return int(connection.execute(query).scalar() or 0)


def _was_there(file: InputFile, began: int) -> bool:
    """Whether a file that nobody noted was last written before the run began."""
    path = Path(file.url)
    return path.is_file() and path.stat().st_mtime_ns // 1000 < began


def _folder(home: Home, settings: Settings) -> InputFolder | None:
    """What a run reads: the input and the inbox beside it; None where there is neither."""
    location = own_input(home) if is_demo(home) else settings.input
    folder = None
    if location:
        folder = replace(
            InputFolder.at(location),
            zone=settings.shop.timezone,
            names=tuple(settings.recognised.items()),
            shops=shop_patterns(settings),
        )
    return with_inbox(folder, home.inbox, settings)
