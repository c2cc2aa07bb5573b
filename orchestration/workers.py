"""Which operating-system process works for which Dagster run, and what dead ones left behind.

Belongs here: marking a run with its process, and, under the lock, failing runs whose process is
gone and freeing their pool slots (a killed run otherwise keeps its slot until a daemon looks).
Does not belong here: the lock itself. Dagster objects are taken as arguments, so this stays
importable without Dagster.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

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
