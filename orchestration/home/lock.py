"""The locks of a home: who may write raw, warehouse, published and dbt's folders, and who may send.

Belongs here: taking and giving back the operating system's lock on `$REGULARS_HOME/.lock`, and on
`.sending-lock` beside it. The lock is the truth for command line, UI and schedules alike; Dagster's
pool is only a queue. The kernel drops it when its holder ends, so a killed run never blocks the
next. Does not belong here: clearing
up after killed runs (orchestration/run/run.py does that, under this lock).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ingestion.errors import BusyError, UsageError
from orchestration.home.layout import OWNER_ONLY

_locks: dict[Path, FileLock] = {}


@contextmanager
def hold(path: Path, wait_seconds: float = 0.0, *, store: str = "") -> Iterator[None]:
    """Hold the lock at `path` for the block; a process that holds it already just goes on.

    Args:
        path: the lock file, created with mode 0600.
        wait_seconds: how long to wait for another holder; 0 means not at all.
        store: the file that is only to be read, for the refusal: a run holds it to its end.

    Raises:
        BusyError: another process still holds it after `wait_seconds`.
        UsageError: its folder cannot be made or written to, or its disk knows no locks.
    """
    lock = _lock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait_seconds, poll_interval=0.2)
    except Timeout:
        pid = holder(path)
        by = f" (process {pid})" if pid else ""
        if store:
            raise BusyError(
                f"A run{by} is working in {path.parent} and holds {store}, which this command"
                " reads, until it ends.",
                "Try again when it has ended; what is published can be read meanwhile.",
            ) from None
        raise BusyError(
            f"Another run{by} is working in {path.parent}.",
            "Wait until it has finished, or use another --home.",
        ) from None
    except OSError as error:
        raise UsageError(
            f"The home {path.parent} cannot be used ({error.strerror}).",
            "Give --home a folder that you may write to.",
        ) from error
    try:
        if lock.lock_counter == 1:
            path.write_text(f"{os.getpid()}\n")
        yield
    finally:
        if lock.lock_counter == 1:
            path.write_text("")
        lock.release()


def is_busy(path: Path) -> bool:
    """Whether another process holds the lock at `path`."""
    if not path.exists():
        return False
    try:
        with hold(path):
            return False
    except BusyError:
        return True
    except OSError:
        return False


def holder(path: Path) -> int | None:
    """The process id that wrote itself into the lock file, if any (for messages only)."""
    try:
        return int(path.read_text().strip() or 0) or None
    except (OSError, ValueError):
        return None


def _lock(path: Path) -> FileLock:
    """This process's own lock of `path`: one for all threads, so that it may be taken again.

    A lock that is only a file would outlive a killed holder, so a disk without locks is refused.
    """
    if path not in _locks:
        _locks[path] = FileLock(path, mode=OWNER_ONLY, thread_local=False, fallback_to_soft=False)
    return _locks[path]
