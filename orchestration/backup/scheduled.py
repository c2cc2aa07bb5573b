"""Backups that are made by themselves: their folder and names, which go, and whether one was tried.

Belongs here: what `[backup]` of the settings asks for. Does not belong here: when it is done
(orchestration/defs), how a backup is made (`stores`) or which stay (`keeping`).

A file is called `HOME-whole-20261129T050012Z.age` or `HOME-ops-…`, by the home's folder, so that
two homes with one folder never count, or delete, each other's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import select

from ingestion.config import Settings
from ingestion.errors import UsageError
from ingestion.settings_place import config_path
from orchestration.backup.archive import DamagedBackupError
from orchestration.backup.keeping import Rule, to_keep
from orchestration.backup.keys import key_of_environment
from orchestration.backup.stores import Backup, Trial, make_backup, try_restore
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import Store, has_store, open_store, upsert

Part = Literal["whole", "ops"]
OPS_HOURS = 24  # of how many hours the operational store's own backups stay
LAST_TRIAL = "last_backup_trial"
_FORM = "%Y%m%dT%H%M%SZ"
_UNFINISHED = timedelta(days=1)


@dataclass(frozen=True)
class LastTrial:
    """When a backup was last tried, which moment it was of, and why it could not be restored."""

    at: str
    made_at: str = ""
    tables: int = 0
    rows: int = 0
    problem: str = ""


def back_up(home: Home, settings: Settings, part: Part, *, config: Path, at: datetime) -> Backup:
    """Make a backup in the settings' folder, and delete those that the rule does not keep.

    Args:
        home: the home.
        settings: the shop's; `backup.folder` is set.
        part: both stores and the settings, or the operational store alone.
        config: the shop's settings file.
        at: now, naive UTC.

    Raises:
        UsageError: the folder is missing or lies in the home, or there is no key.
        BusyError: a run writes the raw store all the while.
        RegularsError: a store is damaged, or the disk too full.
    """
    folder = folder_of(settings)
    if folder.resolve().is_relative_to(home.root):
        raise UsageError(
            f"`backup.folder` is {folder}, which lies in the home: whatever takes the home would"
            " take its backups.",
            "Name a folder on another disk.",
        )
    target = folder / f"{home.root.name}-{part}-{at:{_FORM}}.age"
    made = make_backup(
        home,
        target,
        key_file=key_of_environment(),
        settings=config,
        at=at,
        only_ops=part == "ops",
    )
    rule = rule_of(settings, part)
    there = backups_in(folder, home, part)
    for moment in there.keys() - to_keep(there, rule):
        there[moment].unlink(missing_ok=True)
    for moment, path in backups_in(folder, home, part, ending=".age.part").items():
        if moment < at - _UNFINISHED:  # what a killed one left
            path.unlink(missing_ok=True)
    return made


def newest(home: Home, settings: Settings) -> Path:
    """The newest whole backup of the home.

    Raises:
        UsageError: there is none.
    """
    there = backups_in(folder_of(settings), home, "whole")
    if not there:
        raise UsageError(f"There is no backup in {folder_of(settings)} to try.", "A run makes one.")
    return there[max(there)]


def try_and_note(source: Path, home: Home, *, key_file: Path | None, at: datetime) -> Trial:
    """Restore a backup for a moment, and keep how it went for `doctor`.

    Raises:
        RegularsError: it cannot be restored.
    """
    try:
        tried = try_restore(source, home, key_file=key_file)
    except DamagedBackupError as error:
        _note(home, LastTrial(at.isoformat(), problem=error.message))
        raise
    _note(home, LastTrial(at.isoformat(), tried.made_at, tried.tables, tried.rows))
    return tried


def back_up_ops(home: Home, settings: Settings, at: datetime) -> dict[str, int]:
    """Make the hourly backup of the operational store: its bytes and rows."""
    made = back_up(home, settings, "ops", config=config_path(), at=at)
    return {"bytes": made.size, "rows": made.rows}


def try_newest(home: Home, settings: Settings, at: datetime) -> dict[str, int]:
    """Try the newest backup with the key of the environment: its tables and rows.

    Raises:
        UsageError: there is none.
        RegularsError: it cannot be restored.
    """
    tried = try_and_note(newest(home, settings), home, key_file=key_of_environment(), at=at)
    return {"tables": tried.tables, "rows": tried.rows}


def folder_of(settings: Settings) -> Path:
    """The folder of backups."""
    return Path(settings.backup.folder).expanduser()


def rule_of(settings: Settings, part: Part) -> Rule:
    """Which backups of a part stay."""
    hourly = OPS_HOURS if part == "ops" else 0
    return Rule(hourly, settings.backup.keep_daily, settings.backup.keep_weekly)


def backups_in(
    folder: Path, home: Home, part: Part, *, ending: str = ".age"
) -> Mapping[datetime, Path]:
    """The home's own backups of a part, by the moment at which each was made."""
    form = re.compile(rf"{re.escape(home.root.name)}-{part}-(\d{{8}}T\d{{6}}Z){re.escape(ending)}")
    backups = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        named = form.fullmatch(path.name)
        if named and path.is_file() and not path.is_symlink():
            backups[datetime.strptime(named[1], _FORM)] = path  # noqa: DTZ007 - UTC without zone
    return backups


def last_trial(store: Store) -> LastTrial | None:
    """How the last trial went; None where there was none."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == LAST_TRIAL)
    with store.read() as connection:
        record = connection.execute(query).scalar()
    return LastTrial(**json.loads(record)) if record else None


def _note(home: Home, trial: LastTrial) -> None:
    if not has_store(home):
        return  # no home that would tell anybody
    with open_store(home) as store, store.write() as connection:
        row = {"key": LAST_TRIAL, "value": json.dumps(asdict(trial))}
        upsert(connection, schema.meta, [row])
