"""Dagster's history with kept connections: the same files, fewer waits."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from ingestion.errors import BusyError, UsageError
from orchestration.defs.backup import GROUP
from orchestration.defs.errors import errors_as_data, opening_a_run
from orchestration.home.layout import Home
from orchestration.host import history
from orchestration.host.history import BACKUP, EventLog
from orchestration.host.launch import failure_of, prepare


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


@dg.asset
@errors_as_data
def sad() -> None:
    """An asset that fails with a sentence."""
    raise UsageError("The mapping is wrong.", "Mend it.") from ValueError("x")


@dg.asset(key=["publish", "published"])
def published() -> dg.MaterializeResult[None]:
    """What a whole run reaches."""
    return dg.MaterializeResult()


def last_message(instance: dg.DagsterInstance, asset: dg.AssetsDefinition) -> str:
    result = dg.materialize([asset], instance=instance, raise_on_error=False)
    records = instance.all_logs(result.run_id)
    (last,) = [entry for entry in records if entry.dagster_event][-1:]
    assert last.dagster_event is not None
    assert last.dagster_event.message == last.message
    return last.message or ""


def test_the_last_event_of_a_failed_run_says_what_to_do(instance: dg.DagsterInstance) -> None:
    assert last_message(instance, sad).startswith("The mapping is wrong. Mend it. (")


def test_the_failed_step_says_it_too(instance: dg.DagsterInstance) -> None:
    result = dg.materialize([sad], instance=instance, raise_on_error=False)
    failures = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    assert [entry.message.partition(" (")[0] for entry in failures] == [
        "The mapping is wrong. Mend it."
    ]


def test_the_last_event_of_a_run_that_did_not_begin_says_why(
    instance: dg.DagsterInstance,
) -> None:
    @dg.resource
    def home(context: dg.InitResourceContext) -> None:
        with opening_a_run(context):
            raise BusyError("Another run holds the home: it began at 12:00.", "Wait for it.")

    @dg.asset(required_resource_keys={"home"})
    def waiting() -> None:
        """An asset that is never made."""

    result = dg.materialize(
        [waiting], resources={"home": home}, instance=instance, raise_on_error=False
    )
    told = "Another run holds the home: it began at 12:00. Wait for it."
    assert [entry.message for entry in instance.all_logs(result.run_id)][-1].startswith(f"{told} (")
    error = failure_of(instance, result.run_id)
    assert (type(error), error.exit_code) == (BusyError, 75)
    assert f"{error.message} {error.hint}" == told


def test_a_run_that_published_nothing_says_so(instance: dg.DagsterInstance) -> None:
    assert last_message(instance, sold).startswith("Nothing was published:")
    assert "Nothing was published" not in last_message(instance, published)


def test_a_backup_is_no_run_that_could_have_published(instance: dg.DagsterInstance) -> None:
    @dg.asset(key=[BACKUP, "ops"])
    def ops() -> dg.MaterializeResult[None]:
        """One of the hour."""
        return dg.MaterializeResult()

    assert BACKUP == GROUP
    assert "Nothing was published" not in last_message(instance, ops)


def test_what_a_step_prints_is_kept_without_other_processes(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster's own capture starts four processes that Ctrl-C reaches too."""

    def none(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    @dg.asset
    def talks() -> None:
        monkeypatch.setattr("subprocess.Popen.__init__", none)
        sys.stderr.write("said\n")

    monkeypatch.setattr("subprocess.Popen.__init__", none)
    result = dg.materialize([talks], instance=instance)
    kept = [*Path(instance.root_directory).rglob("*.err")]
    assert result.success
    assert any("said" in path.read_text() for path in kept)


def test_a_killed_run_can_be_reported_as_failed(instance: dg.DagsterInstance) -> None:
    """The next run reports it, with a message and nothing else."""
    run = instance.create_run_for_job(dg.define_asset_job("any").resolve(
        asset_graph=dg.Definitions(assets=[sold]).resolve_asset_graph()
    ))  # fmt: skip
    instance.report_run_failed(run, "The process of this run was killed.")
    said = [entry.dagster_event.message for entry in instance.all_logs(run.run_id)]
    assert said[-1] == "The process of this run was killed."
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE
