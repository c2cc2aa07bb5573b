"""`sync` and the destination `klaviyo` together, against the fake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.activation.ledger import open_intents
from orchestration.activation.plan import build_plan
from orchestration.activation.sync import SyncReport
from tests.orchestration.activation.shop import NOW, TARGET, Shop, open_shop, sync_at
from tests.orchestration.destinations.klaviyo_checks import flagged, opened
from tests.orchestration.fakes.klaviyo_calls import Served, serving
from tests.orchestration.fakes.served import give_keys


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Three members who permitted it."""
    with open_shop(tmp_path) as shop:
        for name in ("c1", "c2", "c3"):
            shop.add_permitted(name, f"{name}@example.com")
        shop.publish()
        yield shop


@pytest.fixture
def klaviyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """An account that has a profile of each."""
    with serving() as served:
        give_keys(served.fake, monkeypatch)
        for name in ("c1", "c2", "c3"):
            served.fake.account.upsert({"attributes": {"email": f"{name}@example.com"}})
        yield served


def _sync(shop: Shop, klaviyo: Served, minutes: int, seconds: float = 60) -> SyncReport:
    """Sync, and let its jobs have so much time."""
    destination = opened(klaviyo)
    destination.name = TARGET.destination
    report = sync_at(shop, TARGET, destination, NOW + timedelta(minutes=minutes))
    klaviyo.later(seconds)
    return report


def test_members_are_accepted_and_then_delivered(shop: Shop, klaviyo: Served) -> None:
    assert _sync(shop, klaviyo, 0).left == {"accepted": 3}
    second = _sync(shop, klaviyo, 1)
    assert (second.sent["added"], second.left) == (3, {})
    jobs = len(klaviyo.fake.account.jobs)
    assert _sync(shop, klaviyo, 2).left == {}
    assert len(klaviyo.fake.account.jobs) == jobs, "nothing is sent again"
    assert flagged(klaviyo) == {"c1@example.com", "c2@example.com", "c3@example.com"}


def test_a_refusal_there_is_heard_before_the_plan_and_ends_it_everywhere(
    shop: Shop, klaviyo: Served
) -> None:
    _sync(shop, klaviyo, 0)
    klaviyo.fake.account.suppress(["c2@example.com"], "SPAM_COMPLAINT")
    assert _sync(shop, klaviyo, 1).held_back == {"spam_report": 1}
    _sync(shop, klaviyo, 2)
    assert flagged(klaviyo) == {"c1@example.com", "c3@example.com"}
    elsewhere = build_plan(shop.store, shop.home, replace(TARGET, destination="other"), at=NOW)
    assert {change.customer_id for change in elsewhere.changes} == {"c1", "c3"}


def test_an_old_refusal_there_is_a_dead_row_with_its_reason(shop: Shop, klaviyo: Served) -> None:
    klaviyo.fake.account.suppress(["c2@example.com"], "SPAM_COMPLAINT")
    klaviyo.clock.move(90 * 24 * 3600)
    _sync(shop, klaviyo, 60 * 24 * 90)
    [dead] = open_intents(shop.store, ["dead"])
    assert (dead.customer_id, dead.last_error) == ("c2", "spam_report")
    assert flagged(klaviyo) == {"c1@example.com", "c3@example.com"}


def test_a_refusal_here_that_meets_an_accepted_row_takes_it_back(
    shop: Shop, klaviyo: Served
) -> None:
    _sync(shop, klaviyo, 0, seconds=0)
    assert flagged(klaviyo) == set()
    shop.suppress("c1@example.com", "unsubscribed", at=NOW + timedelta(seconds=30))
    _sync(shop, klaviyo, 1, seconds=0)
    assert len(klaviyo.fake.account.jobs) == 2, "the removal does not wait"
    for minutes in (2, 3, 4):
        _sync(shop, klaviyo, minutes)
    assert flagged(klaviyo) == {"c2@example.com", "c3@example.com"}


def test_a_job_that_does_nothing_is_sent_again(shop: Shop, klaviyo: Served) -> None:
    klaviyo.fake.account.is_idle = True
    _sync(shop, klaviyo, 0)
    assert _sync(shop, klaviyo, 1).sent["added"] == 0
    klaviyo.fake.account.is_idle = False
    for minutes in (2, 3, 4):
        _sync(shop, klaviyo, minutes)
    assert len(flagged(klaviyo)) == 3
