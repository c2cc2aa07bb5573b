"""`sync` and the destination `sendgrid` together, against the fake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.activation.ledger import open_intents
from orchestration.activation.sync import SyncReport
from orchestration.fakes.sendgrid import create
from tests.orchestration.activation.shop import NOW, TARGET, Shop, open_shop, sync_at
from tests.orchestration.destinations.sendgrid_checks import LIST, Served, opened, with_contacts
from tests.orchestration.fakes.served import give_keys, serving


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Three members who permitted it."""
    with open_shop(tmp_path) as shop:
        for number in (1, 2, 3):
            shop.add_permitted(f"c{number}", f"p{number}@example.com")
        shop.publish()
        yield shop


@pytest.fixture
def sendgrid(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """An account in which each is a contact."""
    with serving(create, Served) as served:
        give_keys(served.fake, monkeypatch)
        yield with_contacts(served)


def _sync(shop: Shop, sendgrid: Served, minutes: int, seconds: float = 60) -> SyncReport:
    """Sync, and let its jobs have so much time."""
    destination = opened(sendgrid)
    destination.name = TARGET.destination
    report = sync_at(shop, TARGET, destination, NOW + timedelta(minutes=minutes))
    sendgrid.later(seconds)
    return report


def _there(sendgrid: Served) -> set[str]:
    return {email.partition("@")[0] for email in sendgrid.fake.of(LIST)}


def test_members_are_accepted_then_delivered_and_not_sent_again(
    shop: Shop, sendgrid: Served
) -> None:
    assert _sync(shop, sendgrid, 0).left == {"accepted": 3}
    second = _sync(shop, sendgrid, 1)
    assert (second.sent["added"], second.left) == (3, {})
    jobs = len(sendgrid.fake.jobs)
    assert _sync(shop, sendgrid, 2).left == {}
    assert len(sendgrid.fake.jobs) == jobs
    assert _there(sendgrid) == {"p1", "p2", "p3"}


def test_who_unsubscribes_there_comes_off_the_list_with_the_next_sync(
    shop: Shop, sendgrid: Served
) -> None:
    _sync(shop, sendgrid, 0)
    _sync(shop, sendgrid, 1)
    sendgrid.fake.suppress("p2@example.com")
    assert _sync(shop, sendgrid, 2).held_back == {"unsubscribed": 1}
    assert _there(sendgrid) == {"p1", "p3"}
    assert len(sendgrid.fake.contacts) == 10, "nobody is deleted"


def test_an_old_unsubscribe_there_is_a_dead_row_with_its_reason(
    shop: Shop, sendgrid: Served
) -> None:
    sendgrid.fake.suppress("p2@example.com", "spam_reports")
    sendgrid.later(90 * 24 * 3600)
    _sync(shop, sendgrid, 60 * 24 * 90)
    [dead] = open_intents(shop.store, ["dead"])
    assert (dead.customer_id, dead.last_error) == ("c2", "spam_report")
    assert _there(sendgrid) == {"p1", "p3"}


def test_a_refusal_here_that_meets_an_accepted_row_takes_it_back(
    shop: Shop, sendgrid: Served
) -> None:
    for seed in range(2):  # of the removal and the addition either may be done first
        sendgrid.fake._dice.seed(seed)
        name, number = f"c{4 + seed}", 4 + seed
        shop.add_permitted(name, f"p{number}@example.com")
        shop.publish()
        start = 100 * seed
        _sync(shop, sendgrid, start, seconds=0)
        at = NOW + timedelta(minutes=start, seconds=30)
        shop.suppress(f"p{number}@example.com", "unsubscribed", at=at)
        _sync(shop, sendgrid, start + 1, seconds=0)
        for minutes in (2, 3, 4):
            _sync(shop, sendgrid, start + minutes)
        assert f"p{number}" not in _there(sendgrid), seed
    assert _there(sendgrid) == {"p1", "p2", "p3"}


def test_a_job_that_does_nothing_is_sent_again(shop: Shop, sendgrid: Served) -> None:
    sendgrid.fake.is_idle = True
    _sync(shop, sendgrid, 0)
    assert _sync(shop, sendgrid, 1).sent["added"] == 0
    sendgrid.fake.is_idle = False
    for minutes in (2, 3, 4):
        _sync(shop, sendgrid, minutes)
    assert _there(sendgrid) == {"p1", "p2", "p3"}
