"""A demo home that Dagster's daemon moves on: one tick, one run, one day, and no run but those."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import InstigatorState, InstigatorTick, TickStatus
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

from tests.browser.pages import dagster, free_port
from tests.end_to_end.conftest import DemoHome, Regulars
from tests.end_to_end.ticking import MINUTES

SOAK = pytest.mark.skipif(not os.environ.get("REGULARS_SOAK"), reason="ten minutes, in `make soak`")
FIRST = datetime(2026, 7, 1)
LEFT_ON = 600.0
SCHEDULE, SENSOR = "dagster/schedule_name", "dagster/sensor_name"


@SOAK
@pytest.mark.faults
@pytest.mark.timeout(2400)
def test_one_tick_moves_one_day_and_the_shops_own_files_start_nothing(
    regulars: Regulars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon is left on for ten minutes, with the schedule and the look at new files on."""
    home = DemoHome(tmp_path / "home", "")
    assert regulars("demo", "--people", "60", "--home", home.root).code == 0
    files_before = _input_files(home.root)
    monkeypatch.setenv("REGULARS_HOME", str(home.root))
    monkeypatch.setenv("DAGSTER_HOME", str(home.root / "dagster"))
    with (
        dagster(home.root, free_port(), sys.executable, "-m", "tests.end_to_end.ticking"),
        dg.DagsterInstance.get() as instance,
    ):
        time.sleep(LEFT_ON)
        _end_the_schedule(instance)
        runs = instance.get_runs()
        ticks, looks = _ticks(instance, "hourly"), _ticks(instance, "new_files")

    scheduled = [run for run in runs if run.tags.get(SCHEDULE) == "hourly"]
    told = f"{len(ticks)} ticks, {len(scheduled)} runs, {len(looks)} looks at new files"
    print(f"{LEFT_ON:.0f} s: {told}")
    assert len(ticks) >= LEFT_ON // (60 * MINUTES) - 1, told
    assert {tick.status for tick in ticks} == {TickStatus.SUCCESS}
    assert len(scheduled) == len(ticks), "one run a tick"
    assert {run.status for run in scheduled} == {dg.DagsterRunStatus.SUCCESS}
    moments = sorted(run.tags["regulars/as_of"] for run in scheduled)
    days = [FIRST + timedelta(days=day) for day in range(1, len(ticks) + 1)]
    assert moments == [f"{day:%Y-%m-%dT%H:%M}Z" for day in days], "each a day later"
    assert home.query("select as_of from ops.build") == [(days[-1],)]

    assert _input_files(home.root) > files_before, "the shop wrote files of its own meanwhile"
    assert len(looks) >= 10, "and the daemon looked"
    assert {tick.status for tick in looks} == {TickStatus.SKIPPED}
    assert Counter(run.tags.get(SENSOR) for run in runs) == {None: len(ticks) + 1}, "and the demo's"
    with closing(sqlite3.connect(home.root / "ops.sqlite")) as ops:
        found = ops.execute("select status, count(*) from runs group by status").fetchall()
    assert found == [("succeeded", len(ticks) + 1)]


def _input_files(root: Path) -> int:
    return sum(path.is_file() for path in (root / "demo" / "input").rglob("*"))


def _end_the_schedule(instance: dg.DagsterInstance) -> None:
    """No tick comes any more; the run of the last one, and what is queued, has its time."""
    state = _state(instance, "hourly")
    instance.stop_schedule(state.instigator_origin_id, state.selector_id, None)
    deadline = time.monotonic() + 900
    unfinished = dg.RunsFilter(statuses=[*IN_PROGRESS_RUN_STATUSES, dg.DagsterRunStatus.QUEUED])
    time.sleep(10)  # for a tick that is being evaluated
    while instance.get_runs_count(unfinished):
        assert time.monotonic() < deadline, "a run does not end"
        time.sleep(0.5)


def _ticks(instance: dg.DagsterInstance, name: str) -> list[InstigatorTick]:
    state = _state(instance, name)
    return list(instance.get_ticks(state.instigator_origin_id, state.selector_id))


def _state(instance: dg.DagsterInstance, name: str) -> InstigatorState:
    [state] = [each for each in instance.all_instigator_state() if each.instigator_name == name]
    return state
