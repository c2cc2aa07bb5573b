"""What comes by a webhook starts a run: once, soon, and not beside another."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs import arrivals
from orchestration.home import lock
from orchestration.home.inbox import REQUESTS, UNREAD, Inbox, body_id, newest_arrival
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.ops.runs import SUCCEEDED, Run, finish_run, start_run
from orchestration.ops.store import open_store

NOW = datetime(2026, 6, 1, 12)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path / "home").create()
    monkeypatch.setenv("REGULARS_HOME", str(home.root))
    return home


def came(home: Home, at: datetime, folder: str = "consents") -> None:
    Inbox(home.inbox).keep(folder, "sender", body_id(at.isoformat().encode()), b"[]", at)


def ran(home: Home, at: datetime) -> None:
    with open_store(home) as store:
        start_run(store, Run(f"run{at:%H%M}", at, "test"), started_at=at)
        finish_run(store, f"run{at:%H%M}", SUCCEEDED, finished_at=at)


def look(monkeypatch: pytest.MonkeyPatch, at: datetime) -> str:
    """The key of the run that begins, else why none does."""
    monkeypatch.setattr(arrivals, "clock", lambda: at)
    told = arrivals.arrivals()
    assert isinstance(told, dg.RunRequest | dg.SkipReason)
    return str(told.run_key if isinstance(told, dg.RunRequest) else told.skip_message)


def test_the_newest_of_what_runs_read(home: Home) -> None:
    assert newest_arrival(home.inbox) is None
    came(home, NOW + timedelta(days=1), REQUESTS)
    came(home, NOW + timedelta(days=1), UNREAD)
    assert newest_arrival(home.inbox) is None
    came(home, NOW - timedelta(days=40))
    came(home, NOW, "email")
    came(home, NOW - timedelta(hours=11))
    (home.inbox / "email" / "sender" / "2026-06-01" / ".235959000000-half.json").write_text("[")
    (home.inbox / "email" / "sender" / "notes").mkdir()
    assert newest_arrival(home.inbox) == NOW


def test_a_run_begins_once_something_came_after_the_last_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Nothing came" in look(monkeypatch, NOW)
    came(home, NOW)
    assert look(monkeypatch, NOW) == NOW.isoformat(), "a home without a run yet"
    ran(home, NOW + timedelta(minutes=1))
    assert "has read what came" in look(monkeypatch, NOW + timedelta(hours=1))
    came(home, NOW + timedelta(minutes=2))
    assert "a short while ago" in look(monkeypatch, NOW + timedelta(minutes=3))
    later = NOW + timedelta(minutes=12)
    assert look(monkeypatch, later) == (NOW + timedelta(minutes=2)).isoformat()
    monkeypatch.setattr(lock, "is_busy", lambda path: path == home.lock)
    assert "going on" in look(monkeypatch, later)


def test_the_pretend_shop_is_moved_by_nobody(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(home, "demo", {"people": 9, "seed": 1, "as_of": "2026-07-01T00:00:00", "cards": True})
    came(home, NOW)
    assert "pretend shop" in look(monkeypatch, NOW)
