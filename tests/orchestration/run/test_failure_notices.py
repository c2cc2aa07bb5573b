"""Runs that fail are told once when they begin to and once when one publishes again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from ingestion.config import Settings
from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.ops.runs import SUCCEEDED, finish_run
from orchestration.run import failure_notices
from orchestration.run.notify import CanBeSent
from orchestration.run.run import RunRequest, open_run

AS_OF = datetime(2026, 7, 1)


@pytest.fixture
def ways() -> dict[str, str]:
    """What each way of the settings says of a notice."""
    return {"webhook": "sent"}


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch, ways: dict[str, str]) -> list[CanBeSent]:
    sent: list[CanBeSent] = []

    def send(_: Settings, notice: CanBeSent) -> dict[str, str]:
        sent.append(notice)
        return ways

    monkeypatch.setattr(failure_notices, "send_notice", send)
    return sent


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[str]]:
    home = Home(tmp_path / "home")

    def once(ends: str, *steps: str) -> list[str]:
        """One run, and what it said: it publishes, fails, or builds a part."""
        lines: list[str] = []
        try:
            with open_run(home, Settings(), RunRequest(AS_OF), say=lines.append) as current:
                if ends == "publishes":
                    finish_run(current.store, current.run_id, SUCCEEDED, finished_at=AS_OF)
                if ends == "fails":
                    current.failed_steps += steps
        except RegularsError:
            pass
        return lines

    return once


def _events(notices: list[CanBeSent]) -> list[str]:
    return [notice.to_json()["event"] for notice in notices]


def test_a_night_of_failing_runs_is_one_notice_and_its_end_another(
    run: Callable[..., list[str]], notices: list[CanBeSent]
) -> None:
    run("publishes")
    assert notices == []
    outputs = [run("fails", "load_orders") for _ in range(8)]
    assert _events(notices) == ["run_failed"]
    assert "Failure notice by webhook: sent." in outputs[0]
    assert "which was told; no further notice" in " ".join(outputs[7])
    run("builds a part")
    run("publishes")
    run("publishes")
    assert _events(notices) == ["run_failed", "run_succeeded"]
    over = notices[1].to_json()
    assert over["first_failed_run_id"] == notices[0].to_json()["run_id"]
    assert over["run_id"] in notices[1].to_text() and over["run_id"] in notices[1].subject
    run("fails", "load_orders")
    assert _events(notices)[2:] == ["run_failed"]


def test_each_further_cause_is_told_once(
    run: Callable[..., list[str]], notices: list[CanBeSent]
) -> None:
    for step in ("load_orders", "load_web", "load_orders", "load_web"):
        run("fails", step)
    assert [notice.to_json()["failed_steps"] for notice in notices] == [
        ["load_orders"],
        ["load_web"],
    ]


def test_a_notice_that_did_not_leave_is_sent_by_the_next_run(
    run: Callable[..., list[str]], notices: list[CanBeSent], ways: dict[str, str]
) -> None:
    ways["webhook"] = "ConnectError"
    run("fails", "load_orders")
    run("fails", "load_orders")
    assert len(notices) == 2
    ways["webhook"] = "sent"
    run("fails", "load_orders")
    run("fails", "load_orders")
    assert len(notices) == 3


def test_a_notice_that_cannot_be_made_does_not_hide_how_the_run_ended(
    run: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> dict[str, str]:
        raise ValueError("ann@example.com")

    monkeypatch.setattr(failure_notices, "send_notice", broken)
    output = " ".join(run("fails", "load_orders"))
    assert "could not be told (ValueError)" in output
    assert "example.com" not in output
