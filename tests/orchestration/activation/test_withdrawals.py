"""Who refused at a destination is asked before any plan of a round, and recorded once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from ingestion import config
from orchestration.activation import delivery
from orchestration.activation.moments import stopped
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations.base import DestinationFailedError, RetryLaterError, Withdrawal
from orchestration.ops import schema
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop, busy

HOUR = timedelta(hours=1)
FIRST = timedelta(days=30)


@dataclass
class Telling(Receiver):
    """A destination that heard refusals."""

    heard: list[Withdrawal] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)
    fails: Exception | None = None

    def withdrawals_since(self, since: datetime) -> Iterator[Withdrawal]:
        """All of them, whenever they were said: more than asked for does no harm."""
        if self.fails:
            raise self.fails
        self.asked.append(since)
        yield from self.heard


def _no(name: str, at: datetime = NOW, reason: str = "unsubscribed") -> Withdrawal:
    return Withdrawal("email", f"{name}@example.com", "email", "*", reason, at)


@pytest.fixture
def members(shop: Shop) -> Shop:
    for name in ("c1", "c2"):
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.publish()
    return shop


def _sync(shop: Shop, receiver: Receiver, at: datetime = NOW) -> SyncReport:
    return sync(
        shop.store, shop.home, TARGET, receiver, at=at, clock=stopped(at), wait=lambda _: None
    )


def _suppressions(shop: Shop) -> int:
    with shop.store.read() as connection:
        count = select(func.count()).select_from(schema.suppressions)
        return int(connection.execute(count).scalar_one())


def test_a_refusal_that_a_destination_heard_counts_from_the_same_sync_on(members: Shop) -> None:
    receiver = Telling(heard=[_no("c1")])
    report = _sync(members, receiver)
    assert set(receiver.members) == {"c2"}
    assert report.held_back == {"unsubscribed": 1}


def test_whoever_is_there_and_refuses_there_is_removed(members: Shop) -> None:
    receiver = Telling()
    _sync(members, receiver)
    receiver.heard.append(_no("c2"))
    assert _sync(members, receiver, NOW + HOUR).sent["removed"] == 1
    assert set(receiver.members) == {"c1"}


def test_a_round_over_several_segments_asks_once_and_the_next_round_again(
    members: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Telling()
    monkeypatch.setattr(delivery, "open_destination", lambda *_: receiver)
    settings = config.Settings(destinations={TARGET.destination: config.Destination()})

    def round_of_two() -> None:
        context = delivery.DeliveryContext(
            members.home, settings, members.store, stopped(NOW), asked="yes"
        )
        for _ in range(2):
            context.sync(TARGET)

    round_of_two()
    assert len(receiver.asked) == 1
    receiver.heard.append(_no("c2"))
    round_of_two()
    assert len(receiver.asked) == 2
    assert set(receiver.members) == {"c1"}


def test_the_same_refusal_is_recorded_once(members: Shop) -> None:
    receiver = Telling(heard=[_no("c1"), _no("c1")])
    for _ in range(3):
        _sync(members, receiver)
    assert _suppressions(members) == 1


def test_a_newer_grant_stands_over_an_older_refusal(members: Shop) -> None:
    receiver = Telling(heard=[_no("c1", NOW - timedelta(days=20))])
    _sync(members, receiver)
    assert set(receiver.members) == {"c1", "c2"}


def test_it_is_asked_from_the_last_time_on_even_where_that_failed(members: Shop) -> None:
    receiver = Telling()
    _sync(members, receiver, NOW)
    receiver.fails = busy()
    _sync(members, receiver, NOW + 5 * HOUR)
    receiver.fails = None
    _sync(members, receiver, NOW + 9 * HOUR)
    _sync(members, receiver, NOW + 10 * HOUR)
    assert receiver.asked == [NOW - FIRST - HOUR, NOW - HOUR, NOW + 8 * HOUR]


def test_where_it_breaks_off_removals_go_all_the_same_and_it_is_told(members: Shop) -> None:
    receiver = Telling()
    _sync(members, receiver)
    members.suppress("c1@example.com", "unsubscribed")
    receiver.fails = RuntimeError("c1@example.com")
    with pytest.raises(DestinationFailedError) as caught:
        _sync(members, receiver, NOW + HOUR)
    assert "example.com" not in str(caught.value)
    assert set(receiver.members) == {"c2"}


def test_a_destination_that_asks_to_be_left_alone_is_not_sent_to_meanwhile(members: Shop) -> None:
    receiver = Telling(fails=RetryLaterError("http_429", 300.0))
    _sync(members, receiver)
    assert receiver.calls == 0
    receiver.fails = None
    _sync(members, receiver)
    assert receiver.calls == 0, "another sync keeps to it too"
