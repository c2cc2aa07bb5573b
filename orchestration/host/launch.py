"""Runs Dagster's jobs in this process, so that the UI shows every run, whoever started it.

Belongs here: DAGSTER_HOME, the in-process execution and turning its outcome into our errors. Does
not belong here: the command line and the steps. With definitions.py, defs/, history.py and
serve/ this is all that knows Dagster; it is imported late, as Dagster loads for seconds.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ingestion.config import REPOSITORY
from ingestion.errors import RegularsError, UsageError
from orchestration.home import lock
from orchestration.home.kind import take_settings
from orchestration.home.layout import Home
from orchestration.home.sqlite_file import read_only_sqlite
from orchestration.host.failures import error_of
from orchestration.run import console
from orchestration.run.run import RunRequest

SETTINGS = "dagster.yaml"
STORES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
CODE_LOCATION = "regulars"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def prepare(home: Home) -> None:
    """Make DAGSTER_HOME ready and point this process at it; call under the lock.

    Two processes that initialise a fresh DAGSTER_HOME at once race, so the lock comes first.

    Raises:
        UsageError: Dagster would take the path for another one.
    """
    path = str(home.root)
    if "?" in path or unquote(path) != path:
        raise UsageError(
            f"Dagster misreads the path {path}: a question mark, or a % before two digits.",
            "Rename that folder, or give another one with --home.",
        )
    home.create()
    point_at(home)
    if not _is_current(home):
        (home.dagster / SETTINGS).write_text(_settings(), "utf-8")


def point_at(home: Home) -> None:
    """Let Dagster in this process, and in those it starts, work on this home."""
    take_settings(home)
    os.environ["REGULARS_HOME"] = str(home.root)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def is_prepared(home: Home) -> bool:
    """Whether whoever holds the lock has made DAGSTER_HOME ready, so that all may open it."""
    return _is_current(home) and all(_has_schema(home.dagster / name) for name in STORES)


def _is_current(home: Home) -> bool:
    path = home.dagster / SETTINGS
    return path.exists() and path.read_text("utf-8") == _settings()


def _settings() -> str:
    return files("orchestration.host").joinpath(SETTINGS).read_text("utf-8")


def _has_schema(path: Path) -> bool:
    """Whether Dagster has made its tables; it notes their version last."""
    try:
        with read_only_sqlite(path) as connection:
            return connection.execute("select 1 from alembic_version").fetchone() is not None
    except sqlite3.Error:
        return False


def run_job(
    home: Home,
    request: RunRequest,
    say: Callable[[str], None],
    *,
    full: bool = False,
    select: str = "",
) -> console.RunOutput:
    """Execute `refresh` (or `rebuild`) to its end; returns what its steps reported.

    Raises:
        BusyError: another run holds the home.
        CheckFailedError: a check or the breaker stopped it; the old published file stands.
        RegularsError: a step failed.
    """
    with lock.hold(home.lock):
        prepare(home)
        import dagster as dg
        from dagster._core.definitions.job_base import InMemoryJob
        from dagster._core.execution.api import execute_run

        from orchestration.definitions import definitions
        from orchestration.home.workers import TAG, process_mark

        job = definitions.resolve_job_def("rebuild" if full else "refresh")
        config = {**QUIET, "resources": {"run": {"config": _config(request)}}}
        chosen = frozenset(_selection(definitions, select)) if select else None
        log = (home.dbt / "run.log").open("w", encoding="utf-8")
        with (
            dg.DagsterInstance.get() as instance,
            console.listening(say) as output,
            log,
            redirect_stdout(log),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            dagster_run = instance.create_run_for_job(
                job,
                run_config=config,
                tags={TAG: process_mark() or ""},
                asset_selection=chosen,
                remote_job_origin=_origin(job.name),
            )
            result = execute_run(InMemoryJob(job), dagster_run, instance)
            if not result.success:
                raise failure_of(instance, result.run_id)
        return output


def _origin(job_name: str) -> Any:
    """Where the UI finds the job: with it a run stands under its job, on the timeline too."""
    from dagster._core.remote_origin import (
        ManagedGrpcPythonEnvCodeLocationOrigin,
        RemoteJobOrigin,
        RemoteRepositoryOrigin,
    )
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

    target = LoadableTargetOrigin(
        executable_path=sys.executable,
        module_name="orchestration.definitions",
        attribute="definitions",
        working_directory=str(REPOSITORY),
    )
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name=CODE_LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job_name)


def _config(request: RunRequest) -> dict[str, Any]:
    return {
        "as_of": request.as_of.isoformat(),
        "input": request.input,
        "full_refresh": request.full_refresh,
        "send": request.send,
        "engine": request.engine,
    }


def _selection(definitions: Any, select: str) -> list[Any]:
    """The chosen models by dbt's syntax, and every asset that is not a model."""
    from dagster_dbt import build_dbt_asset_selection

    from orchestration.defs.transformation import DBT_CALLS, MODELS

    graph = definitions.resolve_asset_graph()
    chosen = {
        key
        for models in DBT_CALLS
        for key in build_dbt_asset_selection([models], dbt_select=select).resolve(graph)
    }
    others = graph.executable_asset_keys - set(MODELS)
    return sorted(chosen | others, key=lambda key: key.path)


def failure_of(instance: Any, run_id: str) -> RegularsError:
    """The error that the run ended with, else a sentence that says where to look.

    Raises:
        KeyboardInterrupt: somebody stopped the run.
    """
    events = (entry.dagster_event for entry in instance.all_logs(run_id))
    error = error_of(event for event in events if event is not None)
    return error or RegularsError("The run failed.", "Open `regulars dev` to see at which step.")
