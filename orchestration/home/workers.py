"""Which operating-system process works for which Dagster run, and what dead ones left behind.

Belongs here: marking a run with its process, and, under the lock, failing runs whose process is
gone, freeing their pool slots (a killed run otherwise keeps its slot until a daemon looks) and
ending the dbt they started, which outlives a kill -9 and holds the stores.
Does not belong here: the lock itself. Dagster objects are taken as arguments, so this stays
importable without Dagster.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from ingestion.duckdb import connect
from ingestion.errors import RegularsError
from orchestration.home.layout import Home

TAG = "regulars/process"


def process_mark(pid: int | None = None) -> str | None:
    """`pid:start`, which no later process can share; None when that process is gone.

    The start time is read from /proc where there is one; elsewhere the pid alone must do.
    """
    pid = pid or os.getpid()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return f"{pid}:{fields[19]}" if fields[0] != "Z" else None
    except OSError:
        return f"{pid}:"


def mark_process(instance: Any, run: Any) -> None:
    """Write this process into the Dagster run's tags."""
    mark = process_mark()
    if instance is not None and run is not None and mark:
        instance.add_run_tags(run.run_id, {TAG: mark})


def is_alive(mark: str) -> bool:
    """Whether the marked process still runs."""
    pid = mark.partition(":")[0]
    return pid.isdigit() and process_mark(int(pid)) == mark


def release_dead_runs(instance: Any, current: Any) -> int:
    """Fail Dagster runs whose process is gone and free their slots; only under the lock.

    Returns:
        How many runs were cleared.
    """
    if instance is None or current is None:
        return 0
    dead = [
        run
        for run in instance.get_runs()
        if not run.is_finished
        and run.run_id != current.run_id
        and TAG in run.tags
        and not is_alive(run.tags[TAG])
    ]
    for run in dead:
        instance.report_run_failed(run, "The process of this run ended without a word.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return len(dead)


def free_stores(home: Home, wait_seconds: float = 30.0) -> int:
    """End the dbt of a run that was killed, so that raw and warehouse can be opened.

    Returns:
        How many were ended.

    Raises:
        RegularsError: a program that is not ours still holds a store after `wait_seconds`.
    """
    ended = set()
    deadline = time.monotonic() + wait_seconds
    for path in (home.raw, home.warehouse):
        while (pid := _holder(path)) is not None:
            if time.monotonic() >= deadline:
                raise RegularsError(
                    f"{path.name} is held open by another program (process {pid}).",
                    "Close it and run again; nothing else may open this file.",
                )
            if _is_dbt_of(pid, home):
                # Asked once, then made to: the warehouse can be built again.
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if pid in ended else signal.SIGTERM)
                ended.add(pid)
            time.sleep(0.5)
    return len(ended)


def _holder(path: Path) -> int | None:
    """The process that has the DuckDB file open, by DuckDB's own account."""
    if not path.exists():
        return None
    try:
        connect(path, read_only=True).close()
    except duckdb.Error as error:  # whatever else is wrong is told by who needs the file
        found = re.search(r"\(PID (\d+)\)", str(error))
        return int(found.group(1)) if found else None
    return None


def _is_dbt_of(pid: int, home: Home) -> bool:
    try:
        command = (
            Path(f"/proc/{pid}/cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode("utf-8", "replace")
        )
    except OSError:  # no /proc here
        ask = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
        command = subprocess.run(ask, capture_output=True, text=True, check=False).stdout
    return "dbt" in command and f"{home.dbt}/" in command
