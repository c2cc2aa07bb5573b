"""Which operating-system process works for which Dagster run, and which of them were killed.

Belongs here: marking a run with its process, and, under the lock, failing runs whose process is
gone, freeing their pool slots (a killed run otherwise keeps its slot until a daemon looks) and
ending the dbt they started, which outlives a kill -9 and holds the stores.
Does not belong here: the lock itself. Dagster objects are taken as arguments, so this stays
importable without Dagster.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import psutil

from ingestion.duckdb import connect
from ingestion.errors import RegularsError
from orchestration.home.layout import Home

TAG = "regulars/process"
CLOCK_SECONDS = 5
ASKED_SECONDS = 5


def process_mark(pid: int | None = None) -> str | None:
    """`pid:start` in whole seconds since 1970; None when that process is gone."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.pid}:{round(process.create_time())}"
    except psutil.NoSuchProcess:
        return None


def mark_process(instance: Any, run: Any) -> None:
    """Write this process into the Dagster run's tags."""
    mark = process_mark()
    if instance is not None and run is not None and mark:
        instance.add_run_tags(run.run_id, {TAG: mark})


def is_alive(mark: str) -> bool:
    """Whether the marked process still runs.

    A start counts as the same within a few seconds, because it is told by way of the machine's
    clock, which may be set meanwhile.
    """
    pid, _, start = mark.partition(":")
    now = process_mark(int(pid)) if pid.isdigit() else None
    if now is None or not start.isdigit():
        return now is not None
    return abs(int(now.partition(":")[2]) - int(start)) <= CLOCK_SECONDS


def release_dead_runs(instance: Any, current: Any) -> int:
    """Fail Dagster runs whose process is gone and free their slots; only under the lock.

    Returns:
        How many runs were cleared.
    """
    if instance is None or current is None:
        return 0
    killed = [
        run
        for run in instance.get_runs()
        if not run.is_finished
        and run.run_id != current.run_id
        and TAG in run.tags
        and not is_alive(run.tags[TAG])
    ]
    for run in killed:
        instance.report_run_failed(run, "The process of this run was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return len(killed)


def free_stores(home: Home, wait_seconds: float = 30.0) -> int:
    """End the dbt of a killed run, so that raw and warehouse can be opened; only under the lock.

    It is looked for by name, because one that has only started opens the stores a moment later.

    Returns:
        How many were ended.

    Raises:
        RegularsError: a program that is not ours still holds a store after `wait_seconds`.
    """
    ended = _end_dbt(home)
    deadline = time.monotonic() + wait_seconds
    for path in (home.raw, home.warehouse):
        while (pid := _holder(path)) is not None:
            if time.monotonic() >= deadline:
                raise RegularsError(
                    f"{path.name} is held open by another program (process {pid}).",
                    "Close it and run again; nothing else may open this file.",
                )
            time.sleep(0.5)
    return ended


def _end_dbt(home: Home) -> int:
    """End every dbt that works in this home: asked once, then made to, for nothing is lost."""
    processes = [process for process in psutil.process_iter() if _is_dbt_of(process, home)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(processes, timeout=ASKED_SECONDS)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=ASKED_SECONDS)
    return len(processes)


def _holder(path: Path) -> int | None:
    """The process that has the DuckDB file open, by DuckDB's own account."""
    if not path.exists():
        return None
    try:
        connect(path, read_only=True).close()
    except duckdb.Error as error:  # whatever else is wrong is told by who needs the file
        pid = re.search(r"\(PID (\d+)\)", str(error))
        return int(pid.group(1)) if pid else None
    return None


def _is_dbt_of(process: psutil.Process, home: Home) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "dbt" in command and f"{home.dbt}/" in command
