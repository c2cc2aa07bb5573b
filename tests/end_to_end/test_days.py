"""A demo's home that Dagster moves on: "Materialize all" five times shows five days of a shop."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.conftest import REPOSITORY, DemoHome, Regulars, environment

pytestmark = pytest.mark.faults  # seven runs of a whole home
FIRST = datetime(2026, 7, 1)
DAYS = 5


@pytest.fixture(scope="module")
def home(regulars: Regulars, tmp_path_factory: pytest.TempPathFactory) -> DemoHome:
    root = tmp_path_factory.mktemp("days") / "home"
    done = regulars("demo", "--people", "200", "--home", root)
    assert done.code == 0, done.out + done.err
    return DemoHome(root, done.out)


@pytest.fixture(scope="module")
def told(home: DemoHome) -> dict[str, dict[str, Any]]:
    """What came of every run of days.py; the home is then as of the fifth day."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.days", home.root, str(DAYS)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=environment(),
        check=False,
        timeout=3000,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_each_run_is_a_day_later_and_nothing_stops_it(told: dict[str, dict[str, Any]]) -> None:
    """Neither the breaker nor another check."""
    for day in range(1, DAYS + 1):
        run = told[f"day {day}"]
        assert run["success"], run["last"]
        moment = FIRST + timedelta(days=day)
        assert run["published"][2] == moment.isoformat()
        assert run["tags"]["as_of"] == f"{moment:%Y-%m-%dT%H:%M}Z"
        assert run["tags"]["published"] == "yes"
        assert run["delivered"] == told["at first"]["delivered"], "nobody asked to send"


def test_a_part_stays_at_its_moment_and_the_clock_does_not_go_back(
    told: dict[str, dict[str, Any]],
) -> None:
    before, part, back = told[f"day {DAYS}"], told["a part"], told["back"]
    assert part["success"], part["last"]
    assert (part["published"][0], part["published"][2]) == (
        before["published"][0],
        before["published"][2],
    ), "the same tables, as of the same moment"
    assert not back["success"]
    assert "its clock does not go back" in back["last"]
    assert back["published"] == part["published"]


@pytest.mark.usefixtures("told")
def test_people_enter_and_leave_segments(home: DemoHome) -> None:
    ((entered, left, days),) = home.query(
        f"select count(*) filter (where entered_at > '{FIRST}'),"
        f" count(*) filter (where exited_at > '{FIRST}'),"
        f" count(distinct entered_at::date) filter (where entered_at > '{FIRST}')"
        " from marts.fct_segment_memberships"
    )
    assert entered > 0
    assert left > 0
    assert days > 1, "on more than one day"


@pytest.mark.usefixtures("told")
def test_each_day_loads_its_own_rows_alone(home: DemoHome) -> None:
    """What came of the first pull is not loaded again, and no row is lost."""
    received = dict(
        home.query(
            "select run_id, sum(rows_loaded) from ops.run_sources"
            " where table_name in ('events', 'order_lines', 'orders', 'rates') group by run_id"
        )
    )
    first, *later = [received[run] for run in sorted(received)][: DAYS + 1]
    assert len(later) == DAYS
    assert all(0 < loaded < first / 10 for loaded in later)
    assert not home.query(
        "select * from ops.run_sources"
        " where rows_received <> rows_loaded + rows_quarantined + rows_duplicate"
    )
    ((days,),) = home.query(
        f"select count(distinct started_at::date) from marts.fct_web_sessions"
        f" where started_at >= '{FIRST}'"
    )
    assert days > 1, "somebody visited on more than one day"
