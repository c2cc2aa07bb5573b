"""The one lock of a home: who may write raw, warehouse, published and dbt's folders.

Belongs here: taking and giving back the operating system's lock on `$REGULARS_HOME/.lock`. The lock
is the truth for command line, UI and schedules alike; Dagster's pool is only a queue. The kernel
drops it when its holder dies, so a killed run never blocks the next. Does not belong here: clearing
up after the dead (orchestration/run/run.py does that, under this lock).
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.errors import BusyError, UsageError

_held: dict[Path, int] = {}


@contextmanager
def hold(path: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock at `path` for the block; a process that holds it already just goes on.

    Args:
        path: the lock file, created with mode 0600.
        wait_seconds: how long to wait for another holder; 0 means not at all.

    Raises:
        BusyError: another process still holds it after `wait_seconds`.
        UsageError: its folder cannot be made or written to.
    """
    if _held.get(path):
        _held[path] += 1
        try:
            yield
        finally:
            _held[path] -= 1
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(
            f"The home {path.parent} cannot be used ({error.strerror}).",
            "Give --home a folder that you may write to.",
        ) from error
    try:
        _acquire(descriptor, path, wait_seconds)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        _held[path] = 1
        try:
            yield
        finally:
            _held.pop(path, None)
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


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


def _acquire(descriptor: int, path: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                pid = holder(path)
                by = f" (process {pid})" if pid else ""
                raise BusyError(
                    f"Another run{by} is working in {path.parent}.",
                    "Wait until it has finished, or use another --home.",
                ) from None
            time.sleep(0.2)
