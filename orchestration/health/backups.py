"""How old the newest of the backups is that are made by themselves, and whether one was tried.

Belongs here: findings about the settings' folder of backups. Does not belong here: making, trying
or deleting one (orchestration/backup).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ingestion.config import Settings
from orchestration.backup.scheduled import backups_in, folder_of, last_trial
from orchestration.health.home_health import STALE_AFTER, Check, Status, age
from orchestration.home.layout import Home
from orchestration.ops.store import has_store, open_store

NAME = "backup"
_BY_HAND = "`regulars restore FILE --try` tries one by hand."


def backups(home: Home, settings: Settings, now: datetime) -> Iterator[Check]:
    """The newest backup and the last trial, where the settings name a folder."""
    if not settings.backup.folder:
        return
    folder = folder_of(settings)
    if not folder.is_dir():
        yield Check(
            NAME,
            "failed",
            f"The folder of backups, {folder}, is not there.",
            "Make it or mount its disk, or mend `backup.folder`.",
        )
        return
    yield _newest(home, folder, now)
    if has_store(home):
        yield _trial(home, now)


def _newest(home: Home, folder: Path, now: datetime) -> Check:
    whole, ops = backups_in(folder, home, "whole"), backups_in(folder, home, "ops")
    alone = f"; of the operational store alone: {age(now - max(ops))} old" if ops else ""
    if not whole:
        return Check(
            NAME,
            "warning",
            f"There is no backup of this home in {folder}{alone}.",
            "The next run that publishes makes one.",
        )
    old = now - max(whole)
    sentence = f"The newest backup, of {len(whole)} that are kept, is {age(old)} old{alone}."
    if old > STALE_AFTER:
        return Check(NAME, "warning", sentence, "A run that publishes makes one and says why not.")
    return Check(NAME, "ok", sentence)


def _trial(home: Home, now: datetime) -> Check:
    with open_store(home) as store:
        trial = last_trial(store)
    if trial is None:
        hint = f"`regulars dev` does so every night while it is up; {_BY_HAND}"
        return Check(NAME, "warning", "No backup was tried yet.", hint)
    old = now - datetime.fromisoformat(trial.at)
    if trial.problem:
        sentence = f"The backup tried {age(old)} ago cannot be restored: {trial.problem}"
        return Check(NAME, "failed", sentence, f"Take another backup; {_BY_HAND}")
    status: Status = "warning" if old > STALE_AFTER else "ok"
    sentence = (
        f"A backup was tried {age(old)} ago: {trial.rows:,} rows in {trial.tables:,} tables, each"
        " as it was."
    )
    return Check(NAME, status, sentence, _BY_HAND if status == "warning" else "")
