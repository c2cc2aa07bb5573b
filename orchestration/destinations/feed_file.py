"""The file that the on-site feed is answered from: SQLite, made for looking up one visitor.

    entries    one row per identifier of a person and segment: the stage, of a browser its type, and
               what to show whoever comes by that identifier
    segments   one row per segment: when it was last brought up to date
    refusals   one row per identifier of whoever refused a purpose, members or not
    facts      the key of the digests

No identifier stands in it, only its keyed digest: a login may be an address, and whoever knows the
id of a browser can ask as that browser. WAL, so that a sync writes while visitors are answered; an
answer is read in one transaction, so that it is of one moment. Mode 0600; what is deleted is
overwritten. The file can be deleted: the next sync fills it again.

Belongs here: the tables, writing and reading them. Does not belong here: what a destination must do
(`onsite`), what a visitor is answered (`orchestration.serve.feed`).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from orchestration.home.layout import OWNER_ONLY

VERSION = 2
CUSTOMER = "customer_id"
BUSY_SECONDS = 10
READ_SECONDS = 0.2  # nobody who looks at a page waits longer for a lock
_DIGEST_BYTES = 16
_KEY_BYTES = 32
_TABLES = """
create table facts (name text primary key, value text not null) without rowid;
create table segments (segment text primary key, refreshed_us integer not null) without rowid;
create table entries (
    digest blob not null, segment text not null, customer_id text not null,
    stage text, device_type text, written_us integer not null, recommendations text,
    primary key (digest, segment, customer_id)
) without rowid;
create index entries_of_people on entries (customer_id, segment);
create table refusals (digest blob primary key, purposes text not null) without rowid;
"""

# From each earlier version to the next
_STEPS = {1: "alter table entries add column recommendations text"}
_WITH_RECOMMENDATIONS = 2  # the first version that has them

Key = tuple[str, str]  # type and value of an identifier, or `customer_id` and the id


class FeedFileError(Exception):
    """The file is not one that this code reads; `reason` is a short code."""

    def __init__(self, reason: str) -> None:
        """Keep the code."""
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a person by one identifier and segment; moments in microseconds, UTC.

    `recommendations`: a JSON list of what to show whoever comes by this identifier.
    """

    segment: str
    customer_id: str
    stage: str | None
    device_type: str | None
    written_us: int
    recommendations: str | None = None


class OfKey(NamedTuple):
    """What an entry holds of one identifier alone."""

    device_type: str | None = None
    recommendations: str | None = None


@dataclass(frozen=True, slots=True)
class VisitorRecord:
    """All that stands in the file about one identifier, and when each segment was refreshed."""

    entries: tuple[Entry, ...]
    refused: frozenset[str]
    refreshed: Mapping[str, int]


class Digests:
    """The digests of one file: nobody without its key can tell what a digest is of."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read the key."""
        row = connection.execute("select value from facts where name = 'key'").fetchone()
        if row is None:
            raise FeedFileError("damaged")
        self._key = bytes.fromhex(row[0])

    def of(self, kind: str, value: str) -> bytes:
        """The digest of an identifier; half a surrogate pair has one too."""
        text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=_DIGEST_BYTES).digest()


class FeedWriter:
    """One transaction on the file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """The tables are there."""
        self._connection = connection
        self._digests = Digests(connection)

    def add(self, entry: Entry, keys: Mapping[Key, OfKey]) -> None:
        """Write the entries of somebody who has none of the segment, one for each identifier."""
        self._connection.executemany(
            "insert into entries values (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(self._digests.of(*key), entry.segment, entry.customer_id),
                    *(entry.stage, own.device_type, entry.written_us, own.recommendations),
                )
                for key, own in keys.items()
            ],
        )

    def take_out(self, people: Iterable[str], segment: str | None = None) -> None:
        """Delete people's entries, of a segment or of all."""
        those, pair = ("", ()) if segment is None else (" and segment = ?", (segment,))
        self._connection.executemany(
            f"delete from entries where customer_id = ?{those}", [(who, *pair) for who in people]
        )

    def refresh(self, segment: str, moment_us: int) -> None:
        """Note that a segment is as it should be."""
        statement = "insert or replace into segments values (?, ?)"
        self._connection.execute(statement, [segment, moment_us])

    def members(self, segment: str) -> set[str]:
        """Who has entries of a segment."""
        query = "select distinct customer_id from entries where segment = ?"
        return {row[0] for row in self._connection.execute(query, [segment])}

    def people_of(self, keys: Iterable[Key]) -> set[str]:
        """Who has entries by one of these identifiers."""
        query = "select customer_id from entries where digest = ?"
        digests = [self._digests.of(*key) for key in keys]
        row_lists = (self._connection.execute(query, [digest]).fetchall() for digest in digests)
        return {row[0] for rows in row_lists for row in rows}

    def show(self, refusals: Mapping[Key, Collection[str]]) -> None:
        """Put these refusals in the place of all that were shown; only differences are written."""
        wanted = {self._digests.of(*key): _written(purposes) for key, purposes in refusals.items()}
        shown = dict(self._connection.execute("select digest, purposes from refusals").fetchall())
        gone = [(digest,) for digest in shown.keys() - wanted.keys()]
        self._connection.executemany("delete from refusals where digest = ?", gone)
        changed = [pair for pair in wanted.items() if shown.get(pair[0]) != pair[1]]
        self._connection.executemany("insert or replace into refusals values (?, ?)", changed)

    def show_no_more(self, keys: Iterable[Key]) -> None:
        """Delete what these identifiers refused."""
        self._connection.executemany(
            "delete from refusals where digest = ?", [(self._digests.of(*key),) for key in keys]
        )


@contextmanager
def writing(path: Path) -> Iterator[FeedWriter]:
    """A transaction on the file, which is made where it is missing; all of it stands, or nothing.

    Raises:
        sqlite3.Error: it cannot be written.
        FeedFileError: it is of a later version, or damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Before SQLite makes it: its -wal and -shm files get the same mode.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, OWNER_ONLY))
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("pragma secure_delete = on")
        connection.execute("pragma journal_mode = wal")
        connection.execute("begin immediate")
        try:
            _make(connection)
            yield FeedWriter(connection)
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("rollback")
            raise
        connection.execute("commit")


def forget_the_past(path: Path) -> bool:
    """Leave nothing of what was deleted in the file beside it; whether nobody prevented it."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        row = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
        return row is None or row[0] == 0


class FeedReader:
    """Looks up one identifier after another; finds the file anew where another took its place.

    Used by one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is opened until the first question."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._inode = -1
        self._digests: Digests | None = None

    def find(self, kind: str, value: str) -> VisitorRecord:
        """What stands there about an identifier.

        Raises:
            FeedFileError: there is no such file, or it cannot be read.
        """
        try:
            connection, digests = self._opened()
            connection.execute("begin")
            try:
                return _visitor_record(connection, digests.of(kind, value))
            finally:
                connection.execute("commit")
        except (sqlite3.Error, OSError, ValueError) as error:
            self.close()
            raise FeedFileError("unreadable") from error
        except FeedFileError:
            self.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._digests = None

    def _opened(self) -> tuple[sqlite3.Connection, Digests]:
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError:
            raise FeedFileError("missing") from None
        if self._connection is None or self._digests is None or inode != self._inode:
            self.close()
            self._connection = sqlite3.connect(
                f"file:{quote(os.fsencode(self._path))}?mode=ro",
                uri=True,
                timeout=READ_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            if not _version(self._connection):
                raise FeedFileError("missing")  # it is being made
            self._digests = Digests(self._connection)
            self._inode = inode
        return self._connection, self._digests


def _visitor_record(connection: sqlite3.Connection, digest: bytes) -> VisitorRecord:
    has_them = _version(connection) >= _WITH_RECOMMENDATIONS  # else no sync was since the upgrade
    entries = connection.execute(
        "select segment, customer_id, stage, device_type, written_us,"
        f" {'recommendations' if has_them else 'null'} from entries where digest = ?",
        [digest],
    ).fetchall()
    refusals = connection.execute(
        "select purposes from refusals where digest = ?", [digest]
    ).fetchone()
    refreshed = dict(connection.execute("select segment, refreshed_us from segments").fetchall())
    refused = frozenset(json.loads(refusals[0])) if refusals else frozenset()
    return VisitorRecord(tuple(Entry(*row) for row in entries), refused, refreshed)


def _make(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty file, or take those of an earlier version to this one's."""
    if version := _version(connection):
        for earlier in range(version, VERSION):
            connection.execute(_STEPS[earlier])
        connection.execute(f"pragma user_version = {VERSION}")
        return
    for statement in filter(str.strip, _TABLES.split(";")):
        connection.execute(statement)
    key = secrets.token_bytes(_KEY_BYTES).hex()
    connection.execute("insert into facts values ('key', ?)", [key])
    connection.execute(f"pragma user_version = {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    """The version of the file's tables; 0 while there are none.

    Raises:
        FeedFileError: it is a later one than this code's.
    """
    version = int(connection.execute("pragma user_version").fetchone()[0])
    if not 0 <= version <= VERSION:
        raise FeedFileError("newer_version")
    return version


def _written(purposes: Collection[str]) -> str:
    return json.dumps(sorted(purposes))
