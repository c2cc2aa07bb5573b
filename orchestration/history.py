"""Dagster's run history on SQLite, without a wait for the disk at every event.

Belongs here: one setting of the connections to files under DAGSTER_HOME. Does not belong here: the
operational store, which is precious and keeps waiting for the disk.

Dagster opens and closes a connection per event. Each commit and each last close then waits for the
disk; half of a small run was that waiting. In WAL mode `synchronous = NORMAL` cannot damage the
file, it may only lose the last events of a run when the machine loses power, and one connection
held open makes closing the others cheap.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

_kept_open: dict[str, sqlite3.Connection] = {}
_folders: set[Path] = set()


def quicken(dagster_home: Path) -> None:
    """From now on, connections to SQLite files under `dagster_home` do not wait for the disk."""
    if not _folders:
        event.listen(Engine, "connect", _settle)
    _folders.add(dagster_home.resolve())


def let_go() -> None:
    """Close the connections held open; SQLite then folds its logs into the files."""
    while _kept_open:
        _kept_open.popitem()[1].close()


def _settle(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    path = str(connection.execute("pragma database_list").fetchone()[2])
    if not path or not any(Path(path).is_relative_to(folder) for folder in _folders):
        return
    connection.execute("pragma synchronous = normal")
    if path not in _kept_open:
        kept = sqlite3.connect(path, check_same_thread=False)
        kept.execute("select count(*) from sqlite_master").fetchone()
        _kept_open[path] = kept
