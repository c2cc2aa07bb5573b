"""What a day put off leaves when its time has come, also while a run holds the home."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ingestion.config import Destination, Settings
from ingestion.errors import BusyError
from orchestration.activation import release
from orchestration.activation.moments import stopped
from orchestration.activation.release import release_due, what_is_due
from orchestration.defs import release as schedule
from orchestration.home import lock
from orchestration.ops.store import to_micros
from orchestration.ops.unread_sources import begin_reading
from tests.locks import held_elsewhere
from tests.orchestration.activation.shop import NOW, Shop
from tests.orchestration.activation.test_contact_day import commit, decided

NIGHT = datetime(2026, 6, 2, 1, 0)  # 02:00 in London
MORNING = datetime(2026, 6, 2, 8, 0)  # 09:00
SETTINGS = Settings(destinations={"receiver": Destination(send=True)})
PHONE = "+447700900001"


@pytest.fixture
def night(shop: Shop) -> Shop:
    """A run at 02:00 put a text to one person off to 09:00."""
    shop.channel = "sms"
    shop.add("c1", f"phone:{PHONE}")
    shop.grant(PHONE, kind="phone")
    shop.publish()
    (row,) = decided(shop, NIGHT)["activity.fct_contact_decisions"]
    assert (row["outcome"], row["reason"], row["send_at"]) == ("deferred", "quiet_hours", MORNING)
    commit(shop, "night")
    return shop


def at(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "clock_of", lambda _home: stopped(moment))


def sent(shop: Shop) -> list[str]:
    files = sorted(shop.home.delivered.rglob("*.csv"))
    return [row["phone"] for file in files for row in csv.DictReader(file.open(encoding="utf-8"))]


def test_a_row_put_off_to_nine_leaves_at_nine_while_a_run_holds_the_home(
    night: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_elsewhere(night.home.lock):
        assert lock.is_busy(night.home.lock)
        at(MORNING - timedelta(minutes=1), monkeypatch)
        assert release_due(night.home, SETTINGS) == []
        at(MORNING, monkeypatch)
        (delivery,) = release_due(night.home, SETTINGS)
        assert delivery.counts["added"] == 1
        assert PHONE in sent(night)
        assert release_due(night.home, SETTINGS) == [], "what went out is not sent again"


def test_a_refusal_since_then_holds_it_back(night: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    night.revoke(PHONE, kind="phone", at=NIGHT)
    at(MORNING, monkeypatch)
    assert release_due(night.home, SETTINGS) == []
    assert sent(night) == []


def test_nothing_leaves_to_where_no_schedule_may_send(
    night: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(MORNING, monkeypatch)
    closed = Settings(destinations={"receiver": Destination(send=False)})
    assert release_due(night.home, closed) == []


def test_nothing_leaves_while_refusals_are_being_read(
    night: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_reading(night.store, "web", "run2")
    at(MORNING, monkeypatch)
    assert release_due(night.home, SETTINGS) == []


def test_only_one_sends_at_a_time(night: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    at(MORNING, monkeypatch)
    with held_elsewhere(night.home.sending_lock), pytest.raises(BusyError):
        release_due(night.home, SETTINGS)


def test_what_is_no_longer_worth_it_is_not_due(night: Shop) -> None:
    assert what_is_due(night.store, to_micros(MORNING)).segments == ("vip",)
    assert what_is_due(night.store, to_micros(NOW)).segments == ()


@pytest.mark.parametrize("by_url", [False, True])
def test_the_schedule_asks_for_a_release_where_something_is_due(
    night: Shop, by_url: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if by_url:
        elsewhere = tmp_path / "elsewhere.sqlite"
        night.store.close()
        night.home.ops.rename(elsewhere)
        monkeypatch.setenv("REGULARS_OPS_URL", f"sqlite:///{elsewhere}")
    monkeypatch.setattr(schedule.Home, "locate", lambda: night.home)
    monkeypatch.setattr(schedule, "load_settings", lambda: SETTINGS)

    def asked(moment: datetime) -> object:
        moment = moment.replace(tzinfo=UTC)
        return schedule.releases(dg.build_schedule_context(scheduled_execution_time=moment))

    assert isinstance(asked(NIGHT), dg.SkipReason)
    assert isinstance(asked(MORNING), dg.RunRequest)
