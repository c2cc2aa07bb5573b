"""What came after the backup that a home was restored from, as far as anything still knows it.

Belongs here: asking newer backups of the home, exports of consent and receipts that lie beside the
backup, and destinations, and taking over what they say. Does not belong here: restoring (`stores`),
sources (runs read them again), words for the terminal.

A newer backup of the same home (the same salt) is believed in all that it says of permission. An
export and a destination are believed in their refusals alone. Whoever is forgotten by then is left
out; what an earlier backup brought of them goes with the next run.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from ingestion.config import Settings
from ingestion.errors import RegularsError
from orchestration.backup import archive
from orchestration.destinations import open_destination
from orchestration.destinations.base import TellsWithdrawals, Withdrawal, own_words
from orchestration.erasure.erase import take_over_tombstones
from orchestration.home.layout import Home
from orchestration.home.scratch import BACKUP, scratch_folder
from orchestration.ops import schema
from orchestration.ops.permission.consents import append_facts
from orchestration.ops.permission.refusals import WHO, Fact, suppression, without_forgotten
from orchestration.ops.store import Store, open_store
from orchestration.ops.tombstones import Hasher, all_tombstones, tombstones_in

_BACKUP = re.compile(r"(.+)-(?:ops|whole)-(\d{8}T\d{6}Z)\.age")
_EXPORTED = {"identifier_type", "identifier_value", "channel", "purpose", "status", "fact"}
_SAYS_YES = ("granted", "requested")
CANNOT_TELL = "cannot tell who refused there"


@dataclass(frozen=True)
class Answer:
    """What one of those who were asked knew that the home did not; else why it could not tell."""

    asked: str
    statements: int = 0
    forgotten: int = 0
    problem: str = ""


def catch_up(
    home: Home,
    source: Path,
    settings: Settings,
    *,
    made_at: datetime,
    at: datetime,
    key_file: Path | None = None,
    folders: Sequence[Path] = (),
) -> list[Answer]:
    """Take over what came after the backup `source`, of which the home was just made.

    Args:
        home: the restored home.
        source: the backup; what lies beside it is asked too.
        settings: names the destinations.
        made_at: the moment of the backup, naive UTC.
        at: now, naive UTC.
        key_file: opens newer backups as it opened this one.
        folders: where else exports, receipts and newer backups lie.
    """
    places = [source.parent, *folders]
    with open_store(home) as store:
        return [
            *_newest_backup(store, home, source, places, key_file, at),
            *_receipts(store, places, at),
            *_exports(store, places, at),
            *_destinations(store, home, settings, made_at, at),
        ]


def _newest_backup(
    store: Store,
    home: Home,
    source: Path,
    places: Iterable[Path],
    key_file: Path | None,
    at: datetime,
) -> Iterator[Answer]:
    """The newest backup after this one that can be read; of those that cannot, why."""
    own = _BACKUP.fullmatch(source.name)
    if own is None:
        return
    newer = {
        named[2]: path
        for searched in places
        for path in searched.glob("*.age")
        if (named := _BACKUP.fullmatch(path.name)) and named[1] == own[1] and named[2] > own[2]
    }
    for _, path in sorted(newer.items(), reverse=True):
        try:
            with scratch_folder(home.root, BACKUP) as folder:
                archive.read(path, folder, key_file)
                yield _of_store(store, Home(folder), path.name, at)
                return
        except RegularsError as error:
            yield Answer(path.name, problem=error.message)


def _of_store(store: Store, other: Home, name: str, at: datetime) -> Answer:
    with open_store(other) as later, later.read() as reading:
        mark = Hasher(reading).mark
        tombstones = all_tombstones(reading)
        consents, suppressions = (
            [dict(row) for row in reading.execute(select(table)).mappings()]
            for table in (schema.consent_events, schema.suppressions)
        )
    with store.write() as connection:
        if mark != Hasher(connection).mark:
            return Answer(name, problem="is of another home")
        forgotten = _take_over(connection, tombstones, at)
        counts = append_facts(
            connection,
            without_forgotten(connection, consents),
            without_forgotten(connection, suppressions),
        )
    return Answer(name, sum(counts), forgotten)


def _receipts(store: Store, places: Iterable[Path], at: datetime) -> Iterator[Answer]:
    """Receipts of `forget` that lie there, or in a folder `erasures` there."""
    for path in _files(places, "*.json", "erasures/*.json"):
        try:
            receipt = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(receipt, dict) and {"erasure_id", "salt", "identifiers"} <= receipt.keys():
            try:
                with store.write() as connection:
                    rows = tombstones_in(connection, receipt)
                    yield Answer(path.name, forgotten=_take_over(connection, rows, at))
            except RegularsError as error:
                yield Answer(path.name, problem=error.message)


def _exports(store: Store, places: Iterable[Path], at: datetime) -> Iterator[Answer]:
    """What `regulars consent export` wrote; of its rows those that refuse."""
    for path in _files(places, "*.csv"):
        try:
            with path.open(encoding="utf-8", newline="") as stream:
                reader = csv.DictReader(stream)
                if not set(reader.fieldnames or ()) >= _EXPORTED:
                    continue
                withdrawals = [
                    Withdrawal(
                        row["identifier_type"],
                        row["identifier_value"],
                        row["channel"],
                        row["purpose"],
                        row["status"],
                        datetime.fromisoformat(row["occurred_at"].removesuffix("Z")),
                    )
                    for row in reader
                    if row["status"] not in _SAYS_YES
                ]
            yield Answer(path.name, _record(store, withdrawals, path.name, at))
        except (OSError, ValueError, csv.Error) as error:
            yield Answer(path.name, problem=f"cannot be read ({type(error).__name__})")


def _destinations(
    store: Store, home: Home, settings: Settings, made_at: datetime, at: datetime
) -> Iterator[Answer]:
    """Destinations that know who refused there since; of the others that they cannot tell."""
    for name, own in sorted(settings.destinations.items()):
        if not own.enabled:
            continue
        try:
            destination = open_destination(name, own, home)
            if not isinstance(destination, TellsWithdrawals):
                yield Answer(name, problem=CANNOT_TELL)
                continue
            with own_words(name):
                withdrawals = list(destination.withdrawals_since(made_at))
            yield Answer(name, _record(store, withdrawals, name, at))
        except RegularsError as error:
            yield Answer(name, problem=error.message)


def _record(store: Store, withdrawals: Iterable[Withdrawal], source: str, at: datetime) -> int:
    """Append these refusals as suppressions; how many the home did not know."""
    rows = [suppression(asdict(each), source, at) for each in withdrawals]
    with store.write() as connection:
        known = _refusals_of(connection, schema.suppressions, "reason")
        known |= _refusals_of(connection, schema.consent_events, "status")
        new = [
            row
            for row in without_forgotten(connection, rows)
            if (*(row[name] for name in WHO), row["reason"], row["occurred_at"]) not in known
        ]
        return append_facts(connection, (), new)[1]


def _refusals_of(connection: Connection, table: Table, reason: str) -> set[tuple[Any, ...]]:
    columns = (table.c[name] for name in (*WHO, reason, "occurred_at"))
    return {tuple(row) for row in connection.execute(select(*columns))}


def _take_over(connection: Connection, rows: Sequence[Fact], at: datetime) -> int:
    """Take over the tombstones that the home does not have; how many people they are of."""
    known = {row["identifier_hash"] for row in all_tombstones(connection)}
    new = [row for row in rows if row["identifier_hash"] not in known]
    return take_over_tombstones(connection, new, at)


def _files(places: Iterable[Path], *patterns: str) -> list[Path]:
    paths = {path for folder in places for each in patterns for path in folder.glob(each)}
    return sorted(paths)
