"""Dagster's history with kept connections: the same files, fewer waits."""

from __future__ import annotations

import threading
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from orchestration import history
from orchestration.history import EventLog
from orchestration.home import Home
from orchestration.launch import prepare


@dg.asset
def sold() -> dg.MaterializeResult[None]:
    """An asset with a number beside it."""
    return dg.MaterializeResult(metadata={"rows": 3})


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    """The instance of a home, as its dagster.yaml has it."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv("REGULARS_HOME", "")  # put back afterwards, with DAGSTER_HOME
    monkeypatch.setenv("DAGSTER_HOME", "")
    prepare(home)
    return dg.DagsterInstance.get()


def run_once(instance: dg.DagsterInstance) -> str:
    result = dg.materialize([sold], instance=instance)
    assert result.success
    return result.run_id


def test_dagsters_own_storage_reads_what_was_written(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.event_log_storage, EventLog)
    base = instance.root_directory
    run_id = run_once(instance)
    written = [entry.message for entry in instance.all_logs(run_id)]
    instance.dispose()
    plain = DagsterSqliteStorage.from_local(base)
    assert [entry.message for entry in plain.event_log_storage.get_logs_for_run(run_id)] == written
    assert plain.event_log_storage.has_asset_key(dg.AssetKey("sold"))
    assert [run.run_id for run in plain.run_storage.get_runs()] == [run_id]


def test_few_files_stay_open_and_none_after_the_end(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "KEPT_FILES", 3)
    runs = [run_once(instance) for _ in range(5)]
    log = instance.event_log_storage
    assert isinstance(log, EventLog)
    assert all(log.get_logs_for_run(run_id) for run_id in runs)
    assert len(log._engines) == 3
    instance.dispose()
    assert not log._engines
    assert not list(Path(instance.root_directory).rglob("*-wal")), "folded into the files"


def test_several_threads_may_read_and_write(instance: dg.DagsterInstance) -> None:
    run_id = run_once(instance)
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.append(len(instance.all_logs(run_id))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    run_once(instance)
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1
    assert len(seen) == 8


def test_wiped_is_wiped(instance: dg.DagsterInstance) -> None:
    run_id = run_once(instance)
    instance.event_log_storage.wipe()
    assert instance.all_logs(run_id) == []
    assert run_once(instance) != run_id
