"""A run's facts and its clearing up after the dead."""

from __future__ import annotations

from datetime import datetime

import pytest

from ingestion.config import Settings
from ingestion.errors import UsageError
from orchestration.home.layout import Home
from orchestration.ops import runs
from orchestration.ops.continuity import begin_anew
from orchestration.ops.store import StoreError, open_store
from orchestration.run.run import RunRequest, next_run_id, open_run, parse_as_of

AS_OF = datetime(2026, 7, 1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-01", datetime(2026, 7, 1)),
        ("2026-07-01T12:00:00Z", datetime(2026, 7, 1, 12)),
        ("2026-07-01T12:00:00+02:00", datetime(2026, 7, 1, 10)),
        (" 2011-12-10 ", datetime(2011, 12, 10)),
    ],
)
def test_as_of_is_utc(text: str, moment: datetime) -> None:
    assert parse_as_of(text) == moment


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_as_of_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_as_of(text)


def test_run_ids_say_the_moment_and_count_up(tmp_path) -> None:
    home = Home(tmp_path)
    with open_run(home, Settings(), RunRequest(AS_OF)) as first:
        assert first.run_id == "20260701T000000Z-0001"
    with open_store(home) as store:
        assert next_run_id(store, AS_OF) == "20260701T000000Z-0002"
        assert runs.run_status(store, first.run_id) == runs.UNPUBLISHED, "it never published"


def test_a_dead_run_is_cleared_up_by_the_next(tmp_path) -> None:
    home = Home(tmp_path).create()
    with open_store(home) as store:
        dead = runs.Run("20260630T000000Z-0001", AS_OF, "test")
        runs.start_run(store, dead, started_at=AS_OF)
    home.candidate.write_bytes(b"half built")
    said: list[str] = []
    with open_run(home, Settings(), RunRequest(AS_OF), say=said.append) as run:
        assert runs.run_status(run.store, dead.run_id) == runs.FAILED
        assert not home.candidate.exists()
    assert any("were killed" in line for line in said)


def test_a_store_that_was_lost_stops_the_run_and_a_new_home_is_not(tmp_path) -> None:
    home = Home(tmp_path)
    said: list[str] = []
    with open_run(home, Settings(), RunRequest(AS_OF), say=said.append):
        home.raw.touch()
    home.ops.unlink()
    assert said == []
    with (
        pytest.raises(StoreError, match="is gone"),
        open_run(home, Settings(), RunRequest(AS_OF), say=said.append),
    ):
        raise AssertionError("a run began")
    assert not home.ops.exists()
    begin_anew(home, person="Ada", reason="no backup", at=AS_OF)
    with open_run(home, Settings(), RunRequest(AS_OF), say=said.append):
        assert "ids are rebuilt from raw" in said[0]
    told = len(said)
    with open_run(home, Settings(), RunRequest(AS_OF), say=said.append):
        assert len(said) == told


def test_what_is_degraded_is_looked_at_when_a_run_ends(tmp_path, monkeypatch) -> None:
    """By the clock, and never in the way of the run."""
    asked: list[str] = []
    monkeypatch.setattr(
        "orchestration.run.run.tell_what_is_degraded",
        lambda *_, run_id, **__: asked.append(run_id),
    )
    with open_run(Home(tmp_path), Settings(), RunRequest(AS_OF)) as run:
        assert asked == []
    assert asked == [run.run_id]


def test_a_look_at_what_is_degraded_that_fails_stops_nothing(tmp_path, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("canary@example.org")

    monkeypatch.setattr("orchestration.run.run.tell_what_is_degraded", fail)
    said: list[str] = []
    with open_run(Home(tmp_path), Settings(), RunRequest(AS_OF), say=said.append) as run:
        pass
    assert said == ["What is degraded could not be told (ValueError)."]
    with open_store(Home(tmp_path)) as store:
        assert runs.run_status(store, run.run_id) == runs.UNPUBLISHED
