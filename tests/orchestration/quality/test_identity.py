"""What identity drift lets pass, tells, and stops."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from ingestion.config import Identity
from orchestration.quality.identity import Metrics, judge_identity, read_metrics

YESTERDAY: Metrics = {
    ("people", "known"): 10_000,
    ("people", "anonymous"): 5_000,
    ("born", "known"): 10_000,
    ("shared_values", "device"): 200,
    ("refused_links", "shared_device"): 1_000,
    ("over_merging", "two_logins"): 20,
    ("largest_person", "known"): 30,
    ("merged", "all"): 0,
    ("split", "all"): 0,
}


def told(change: Metrics, **limits: float) -> dict[str, str]:
    """Name and severity of every check that fails when the measures change."""
    results = judge_identity(YESTERDAY, YESTERDAY | change, Identity.model_validate(limits))
    return {r.name.removeprefix("identity_drift."): r.severity for r in results if not r.passed}


def test_the_same_shop_says_nothing() -> None:
    assert told({}) == {}


@pytest.mark.parametrize(
    "change",
    [
        # twice the people, twice of everything
        {key: 2 * value for key, value in YESTERDAY.items() if key[0] != "largest_person"},
        # few are born on an ordinary day
        {("born", "known"): 12},
        # too few to tell
        {("over_merging", "two_logins"): 45},
        {("refused_links", "a_new_reason"): 40},
        {("merged", "all"): 100, ("split", "all"): 20},
    ],
)
def test_what_an_ordinary_day_brings_is_quiet(change: Metrics) -> None:
    assert told(change) == {}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({("shared_values", "device"): 400}, "shared_values.device"),
        ({("refused_links", "shared_device"): 0}, "refused_links.shared_device"),
        ({("refused_links", "a_new_reason"): 400}, "refused_links.a_new_reason"),
        ({("merged", "all"): 900}, "changed_people"),
    ],
)
def test_a_drift_warns_and_does_not_stop(change: Metrics, name: str) -> None:
    assert told(change) == {name: "warning"}


def test_a_person_of_strangers_stops_the_run() -> None:
    assert told({("largest_person", "known"): 1_001}) == {"largest_person": "blocking"}
    assert told({("largest_person", "known"): 1_001}, max_person=5_000) == {}


def test_the_first_file_is_judged_alone() -> None:
    strangers = {("largest_person", "known"): 5_000}
    results = judge_identity({}, YESTERDAY | strangers, Identity())
    assert [(r.name, r.stops) for r in results] == [("identity_drift.largest_person", True)]


def test_a_file_older_than_the_measures_is_no_baseline(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "old.duckdb")) as connection:
        assert read_metrics(connection) == {}


def test_only_the_measures_of_the_files_own_run_are_judged(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "new.duckdb")) as connection:
        connection.execute("create schema ops")
        connection.execute("create table ops.build as select 'today' as run_id")
        connection.execute(
            "create table ops.identity_metrics as select 'people' as metric, 'known' as kind, *"
            " from (values ('today', 9), ('before', 7)) as counted (run_id, value)"
        )
        assert read_metrics(connection) == {("people", "known"): 9}
