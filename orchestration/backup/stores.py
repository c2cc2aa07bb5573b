"""Making a backup of a home, and restoring one.

Belongs here: which files of a home are precious, copies of them that are of one moment each, and
what a restored home does not know. Does not belong here: the backup's file (`archive`), its key
(`keys`).

The operational store is copied by SQLite itself, at any time. The raw store is written only while
a run reads its sources; a copy counts when no byte changed meanwhile. The operational store is
copied first: one that is older than raw reads it again, and refusals are never lost that way.

A restored home is behind: refusals that reached it after the backup are unknown. So each source
that the backup holds anything of is marked, and nothing is sent until runs have read every one of
them to its end, or a person answers for those that are gone.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import duckdb

from ingestion.config import CONFIG_NAME
from ingestion.duckdb import connect
from ingestion.errors import BusyError, DiskFullError, UsageError, tells_of_a_full_disk
from ingestion.landing.raw_tables import has_rows
from orchestration.backup import archive
from orchestration.backup.archive import DamagedBackupError, Manifest
from orchestration.backup.facts import differing, engine, facts_of
from orchestration.backup.keys import new_key
from orchestration.home.inbox import REQUESTS
from orchestration.home.kind import read_mark
from orchestration.home.layout import Home
from orchestration.home.scratch import BACKUP, RESTORE, scratch_folder, sweep_home
from orchestration.home.sqlite_file import read_only_sqlite
from orchestration.ops.continuity import check_continuity
from orchestration.ops.store import URL_VARIABLE, copy_sqlite, open_store
from orchestration.ops.unread_sources import SPEAK_OF_PERMISSION, mark_restored
from orchestration.published.files import require_free_disk

RAW_SECONDS = 30.0
NAMED = 5  # how many tables a sentence names
_PAUSE = 0.5


@dataclass(frozen=True)
class Backup:
    """A backup that was written and read back: its file, bytes and list."""

    path: Path
    size: int
    manifest: Manifest

    @property
    def rows(self) -> int:
        """How many rows its tables have."""
        return sum(facts["rows"] for facts in self.manifest.tables.values())


def make_backup(
    home: Home,
    target: Path,
    *,
    key_file: Path | None = None,
    settings: Path | None = None,
    at: datetime,
    wait_seconds: float = RAW_SECONDS,
    only_ops: bool = False,
) -> Backup:
    """Write an encrypted backup of the home's precious stores, and read it back.

    Args:
        home: the home; a run may be at work in it.
        target: the file to write, which must not be there yet.
        key_file: the shop's key, made where it is missing; else the passphrase of the environment.
        settings: the shop's settings file, kept with the stores.
        at: the moment it is of, naive UTC.
        wait_seconds: how long to wait while a run writes the raw store.
        only_ops: leave out raw and the pretend shop; a home of it reads all its input again.

    Raises:
        UsageError: there is nothing to keep, such a file already, or no key.
        BusyError: a run writes the raw store all the while.
        StoreError: the operational store is not this home's.
        DamagedBackupError: what was written does not read back.
    """
    mark = read_mark(home)
    if mark is None or not (home.ops.exists() or home.raw.exists()):
        raise UsageError(
            f"There is nothing to keep in {home.root}.", "Run `regulars run` first, or give --home."
        )
    if only_ops and (os.environ.get(URL_VARIABLE) or not home.ops.exists()):
        raise UsageError(
            "The operational store lies elsewhere, and a backup does not hold it.",
            "Back it up with its own tools.",
        )
    if target.exists():
        raise UsageError(f"{target} is there already.", "Name another file for the backup.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.", "Make it, or name another.")
    check_continuity(home, begins_run=True)
    for folder in (home.root, target.parent):
        require_free_disk(folder, (home.raw, home.ops), "a backup", "no backup was written")
    sweep_home(home)
    is_new_key = key_file is not None and not key_file.exists()
    key = new_key(key_file)
    try:
        with _disk_in_words(), scratch_folder(home.root, BACKUP) as scratch:
            files = _own_files(home, scratch, settings)
            if not only_ops:
                files |= _raw_and_world(home, scratch, wait_seconds)
            manifest = Manifest(
                at.isoformat(timespec="seconds"),
                version("regulars"),
                mark.kind,
                archive.describe(files),
                tables={name: asdict(each) for name, each in facts_of(Home(scratch)).items()},
                engine=engine(),
            )
            archive.write(target, manifest, files, key, scratch)
        with _disk_in_words():
            _read_back(home, target, key_file)
    except BaseException:
        # A key for nothing, of which nobody was told
        if is_new_key and key_file is not None and not target.exists():
            key_file.unlink(missing_ok=True)
        raise
    return Backup(target, target.stat().st_size, manifest)


def restore_backup(source: Path, home: Home, *, key_file: Path | None = None) -> Manifest:
    """Make a home of a backup; the home is there whole or not at all.

    Raises:
        UsageError: there is something in the home already, or no key was given.
        WrongKeyError: the backup is for another key.
        DamagedBackupError: it is cut, altered, or of a newer version.
        StoreError: its operational store is of a newer version.
    """
    if home.root.exists() and (not home.root.is_dir() or any(home.root.iterdir())):
        raise UsageError(
            f"{home.root} is not empty, and a backup is restored beside it, not over it.",
            "Give another folder with --home, or move this one away.",
        )
    if os.environ.get(URL_VARIABLE):
        raise UsageError(
            f"{URL_VARIABLE} names an operational store elsewhere, which a backup does not hold.",
            "Unset it for the restore, and restore that store with its own tools.",
        )
    if home.root.is_mount():
        raise UsageError(
            f"{home.root} is where a disk is mounted, and a restore puts a whole folder in place.",
            "Give a folder below it with --home.",
        )
    sweep_home(home)
    try:
        home.root.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(home.root.parent, RESTORE) as beside:
            return _restore_beside(source, beside, home, key_file)
    except OSError as error:
        if tells_of_a_full_disk(str(error)):
            raise DiskFullError(
                f"The disk that holds {home.root.parent} is full.",
                "Make room and restore again; no home was made.",
            ) from error
        raise UsageError(
            f"{home.root} cannot be made ({error.strerror}).",
            "Give a folder of yours with --home; the one it lies in must be yours too.",
        ) from error


def _restore_beside(source: Path, beside: Path, home: Home, key_file: Path | None) -> Manifest:
    """Unpack into a folder beside the home and give it the home's name once it is whole."""
    manifest = _unpacked(source, beside, key_file)
    if home.root.exists():
        home.root.rmdir()
    beside.rename(home.root)
    return manifest


@dataclass(frozen=True)
class Trial:
    """A backup that could be restored: when it was made, and what was compared."""

    made_at: str
    tables: int
    rows: int


def try_restore(source: Path, home: Home, *, key_file: Path | None = None) -> Trial:
    """Restore a backup into a private folder of the home, compare every table, leave nothing.

    Raises:
        UsageError: there is no such backup, or no key was given.
        WrongKeyError: the backup is for another key.
        DamagedBackupError: it is cut or altered, or a table is not as it was when it was made.
    """
    if not home.root.is_dir():
        raise UsageError(f"There is no home {home.root} to try it in.", "Give one with --home.")
    sweep_home(home)
    require_free_disk(home.root, (home.raw, home.ops), "trying a backup", "nothing was changed")
    with _disk_in_words("nothing was changed"), scratch_folder(home.root, BACKUP) as scratch:
        manifest = _unpacked(source, scratch, key_file)
    tables = manifest.tables.values()
    return Trial(manifest.made_at, len(tables), sum(facts["rows"] for facts in tables))


def _unpacked(source: Path, folder: Path, key_file: Path | None) -> Manifest:
    """Make a whole home of a backup in an empty folder, each table as it was."""
    manifest = archive.read(source, folder, key_file)
    home = Home(folder)
    _check_stores(home)
    if manifest.tables:  # backups of the time before them have none
        _compare(manifest, home, source)
    if not os.environ.get(URL_VARIABLE):  # else it would be the store elsewhere that is marked
        with open_store(home) as store:
            mark_restored(store, manifest.made_at, _known_sources(home))
    home.create()
    return manifest


def _compare(manifest: Manifest, home: Home, source: Path) -> None:
    """Refuse stores in which a table is not as it was when the backup was made."""
    wrong = differing(manifest.tables, facts_of(home), same_engine=manifest.engine == engine())
    if wrong:
        more = len(wrong) - NAMED
        named = ", ".join(wrong[:NAMED]) + (f" and {more} more" if more > 0 else "")
        raise DamagedBackupError(
            f"Of {source} these tables are not as they were when it was made: {named}.",
            "Take another backup.",
        )


@contextmanager
def _disk_in_words(outcome: str = "no backup was written") -> Iterator[None]:
    """A disk that fills up is told with what became of the backup.

    Raises:
        DiskFullError: it did.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if not tells_of_a_full_disk(str(error)):
            raise
        raise DiskFullError(hint=f"Make room and try again; {outcome}.") from error


def _known_sources(home: Home) -> list[str]:
    """The sources of which the home holds anything; all of them where it has no raw store."""
    return [
        source
        for source in SPEAK_OF_PERMISSION
        if not home.raw.exists() or has_rows(home.raw, source)
    ]


def _own_files(home: Home, scratch: Path, settings: Path | None) -> dict[str, Path]:
    """What no source says, by its path below the home, each at rest."""
    files = {}
    if home.ops.exists() and not os.environ.get(URL_VARIABLE):
        files[home.ops.name] = _copy_ops(home, scratch)
    if home.mark.exists():
        files[home.mark.name] = home.mark
    if settings is not None and settings.is_file():
        files[CONFIG_NAME] = settings
    # Who was forgotten, for a home of an older backup, and what people asked of the shop
    for folder in (home.erasures, home.inbox / REQUESTS):
        for path in sorted(folder.rglob("[!.]*.json")):
            name = path.relative_to(home.root)
            copy = scratch / name
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileNotFoundError):  # a request that was dealt with this moment
                shutil.copyfile(path, copy)
                files[name.as_posix()] = copy
    return files


def _raw_and_world(home: Home, scratch: Path, wait_seconds: float) -> dict[str, Path]:
    """What the sources said, and the pretend shop's world; copied after the operational store."""
    files = {}
    if home.raw.exists():
        files[home.raw.name] = _copy_raw(home, scratch, wait_seconds)
    if home.demo.is_dir():  # the pretend shop's world: its servers are made of it
        for path in sorted(home.demo.rglob("*")):
            if path.is_file():
                files[path.relative_to(home.root).as_posix()] = path
    return files


def _copy_ops(home: Home, scratch: Path) -> Path:
    copy = scratch / home.ops.name
    copy_sqlite(home.ops, copy)
    return copy


def _copy_raw(home: Home, scratch: Path, wait_seconds: float) -> Path:
    """A copy during which nothing was written; a log beside the file means that something is."""
    copy, log = scratch / home.raw.name, Path(f"{home.raw}.wal")
    ends = time.monotonic() + wait_seconds
    while True:
        before = home.raw.stat()
        if not log.exists():
            shutil.copyfile(home.raw, copy)
            after = home.raw.stat()
            still = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
            if still and not log.exists() and _opens(copy):
                return copy
        if time.monotonic() >= ends:
            raise BusyError(
                f"A run is reading its sources and writes {home.raw.name} all the while.",
                "Try again when it models; nothing was written.",
            )
        time.sleep(_PAUSE)


def _opens(raw: Path) -> bool:
    try:
        with connect(raw, read_only=True) as connection:
            connection.execute("select count(*) from duckdb_tables()")
    except duckdb.Error:
        return False
    return True


def _read_back(home: Home, target: Path, key_file: Path | None) -> None:
    """Open what was written as a restore would, or take it away again."""
    with scratch_folder(home.root, BACKUP) as scratch:
        try:
            archive.read(target, scratch, key_file)
            _check_stores(Home(scratch))
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _check_stores(home: Home) -> None:
    """Refuse stores that their own engines find broken."""
    if home.ops.exists():
        try:
            with read_only_sqlite(home.ops) as connection:
                sound = connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
        except sqlite3.Error:
            sound = False
        if not sound:
            raise DamagedBackupError(
                "The operational store of the backup is damaged.", "Take another backup."
            )
    if home.raw.exists() and not _opens(home.raw):
        raise DamagedBackupError("The raw store of the backup is damaged.", "Take another backup.")
