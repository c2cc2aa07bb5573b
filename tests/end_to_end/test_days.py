"""A demo's home that Dagster moves on: "Materialize all" five times shows five days of a shop."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestration.published.reader import read_build
from tests.browser.pages import dagster, free_port
from tests.end_to_end.conftest import REPOSITORY, DemoHome, Regulars, environment
from tests.end_to_end.graph import Graph

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2400)]  # eight runs of a whole home
FIRST = datetime(2026, 7, 1)
DAYS = 5


@pytest.fixture(scope="module")
def home(regulars: Regulars, tmp_path_factory: pytest.TempPathFactory) -> DemoHome:
    root = tmp_path_factory.mktemp("days") / "home"
    done = regulars("demo", "--people", "200", "--home", root)
    assert done.code == 0, done.out + done.err
    return DemoHome(root, done.out)


@pytest.fixture(scope="module")
def first_delivered(home: DemoHome) -> dict[str, int]:
    """What the demo itself delivered, before any day passed."""
    return _delivered(home)


@pytest.fixture(scope="module")
def days(home: DemoHome, first_delivered: dict[str, int]) -> list[dict[str, Any]]:
    """What came of each of five runs that Dagster's page was asked for; the home is as of the last.

    Its GraphQL is asked, behind the guard, while `regulars dev` serves the home.
    """
    assert first_delivered
    with dagster(home.root, free_port()) as address:
        graph = Graph(address)
        return [graph.run("refresh") | _state(home) for _ in range(DAYS)]


def _state(home: DemoHome) -> dict[str, Any]:
    build, run, as_of = read_build(home.root / "published.duckdb")
    return {"published": [build, run, as_of.isoformat()], "delivered": _delivered(home)}


def _delivered(home: DemoHome) -> dict[str, int]:
    files = (home.root / "delivered").rglob("*.csv")
    return {str(path): path.stat().st_mtime_ns for path in files}


@pytest.fixture(scope="module")
def told(home: DemoHome, days: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What came of every run of days.py, after those days."""
    assert len(days) == DAYS
    done = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.days", home.root],
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


def test_each_run_is_a_day_later_and_nothing_stops_it(
    first_delivered: dict[str, int], days: list[dict[str, Any]]
) -> None:
    """Neither the breaker nor another check."""
    for number, run in enumerate(days, 1):
        assert run["status"] == "SUCCESS"
        moment = FIRST + timedelta(days=number)
        assert run["published"][2] == moment.isoformat()
        assert run["tags"]["as_of"] == f"{moment:%Y-%m-%dT%H:%M}Z"
        assert run["tags"]["published"] == "yes"
        assert run["delivered"] == first_delivered, "nobody asked to send"


def test_a_part_stays_at_its_moment_and_the_clock_does_not_go_back(
    days: list[dict[str, Any]], told: dict[str, dict[str, Any]]
) -> None:
    before, part, back = days[-1], told["a part"], told["back"]
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


@pytest.mark.usefixtures("told")
def test_who_left_a_segment_is_taken_away_and_the_breaker_stops_nothing(
    home: DemoHome, regulars: Regulars
) -> None:
    """The plan of the fifth day removes people, and a sync carries it out whole."""
    planned = json.loads(regulars("plan", "--json", "--home", home.root).out)
    assert sum(row["removed"] for row in planned) > 0
    assert sum(row["added"] for row in planned) > 0
    done = regulars("sync", "--home", home.root)
    assert done.code == 0, done.out + done.err
    left = json.loads(regulars("plan", "--json", "--home", home.root).out)
    assert sum(row["added"] + row["updated"] + row["removed"] for row in left) == 0
    with closing(sqlite3.connect(home.root / "ops.sqlite")) as ops:
        ((removals,),) = ops.execute(
            "select count(*) from outbox where operation = 'removed'"
            " and state in ('sent', 'accepted') and destination <> 'google_ads'"
        ).fetchall()
    # Google took nobody without both consents; it says so when it is asked, before the removal.
    of_others = [row for row in planned if row["destination"] != "google_ads"]
    assert removals == sum(row["removed"] for row in of_others)
