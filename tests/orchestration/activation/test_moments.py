"""A sync takes minutes: each batch and each pair is judged at its own moment."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from ingestion.config import Destination, Settings
from orchestration.activation import delivery, moments
from orchestration.activation.delivery import Delivery, DeliveryContext, clock_of
from orchestration.activation.people import Target
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations.base import Batch, Limits, Outcome
from orchestration.ops import schema
from orchestration.ops.store import from_micros
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop

SECOND = timedelta(seconds=1)
EVENING = datetime(2026, 6, 1, 18, 59, 30)  # 19:59:30 in London, where texts end at 20:00


@dataclass
class Watch:
    """A clock that a test moves on."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Slow(Receiver):
    """A destination that takes two seconds for a batch."""

    watch: Watch | None = None
    limits: Limits = field(default_factory=lambda: Limits(1))

    def deliver(self, batch: Batch) -> list[Outcome]:
        outcomes = super().deliver(batch)
        if self.watch and batch.rows:
            self.watch.wait(2)
        return outcomes


def synced(shop: Shop, receiver: Receiver, watch: Watch, target: Target = TARGET) -> SyncReport:
    return sync(shop.store, shop.home, target, receiver, at=watch(), clock=watch, wait=watch.wait)


def delivered(shop: Shop) -> list[datetime]:
    query = select(schema.deliveries.c.delivered_at).order_by(schema.deliveries.c.delivered_at)
    with shop.store.read() as connection:
        return [from_micros(each) for each in connection.execute(query).scalars()]


def test_a_running_clock_goes_on_with_the_longer_of_the_two_times_and_never_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steady, wall = [100.0], [9000.0]
    monkeypatch.setattr(time, "monotonic", lambda: steady[0])
    monkeypatch.setattr(time, "time", lambda: wall[0])
    now = moments.running(NOW)
    assert now() == NOW
    steady[0] += 5
    assert now() == NOW + 5 * SECOND, "the wall clock may stand"
    wall[0] += 600
    assert now() == NOW + 600 * SECOND, "the machine slept"
    wall[0] -= 3600
    assert now() == NOW + 600 * SECOND


def test_a_permission_that_expires_while_others_are_sent_permits_nothing(shop: Shop) -> None:
    for number in range(5):
        shop.add(f"c{number}", f"c{number}@a.example")
        shop.grant(f"c{number}@a.example", expires_at=NOW + 3 * SECOND)
    shop.publish()
    receiver = Slow(watch=(watch := Watch(NOW)))
    report = synced(shop, receiver, watch)
    assert delivered(shop)[:2] == [NOW, NOW + 2 * SECOND]
    added = [row for row in receiver.log if row.operation == "added"]
    assert len(added) == 2
    assert report.held_back["expired"] >= 3


def test_without_a_clock_of_its_own_a_sync_goes_on_from_its_start(shop: Shop) -> None:
    for number in range(2):
        shop.add(f"c{number}", f"c{number}@a.example")
        shop.grant(f"c{number}@a.example", expires_at=NOW + timedelta(milliseconds=200))
    shop.publish()

    class Sleeps(Slow):
        def deliver(self, batch: Batch) -> list[Outcome]:
            time.sleep(0.2)
            return super().deliver(batch)

    receiver = Sleeps()
    sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)
    assert len([row for row in receiver.log if row.operation == "added"]) <= 1


@pytest.fixture
def texts(shop: Shop) -> Shop:
    shop.channel = "sms"
    for number in range(3):
        phone = f"+44770090000{number}"
        shop.add(f"c{number}", f"phone:{phone}")
        shop.grant(phone, kind="phone")
    shop.publish()
    return shop


def test_quiet_hours_that_begin_while_others_are_sent_hold_the_rest(texts: Shop) -> None:
    watch = Watch(EVENING + 27 * SECOND)
    receiver = Slow(watch=watch)
    report = synced(texts, receiver, watch, Target("vip", "receiver", "sms", "marketing"))
    assert report.sent["added"] == 2
    assert report.held_back == {"quiet_hours": 1}
    assert report.left == {}


def test_a_day_that_ends_while_others_are_sent_has_its_own_cap(shop: Shop) -> None:
    """What went out before midnight counts for its day, what goes out after it for the next."""
    shop.limits = {"contacts_per_day": 1}
    shop.further = {"cart": {"priority": 0, "message_kind": "reminder", "cooldown_days": 0}}
    for one in ("c1", "c2"):
        shop.add(one, f"{one}@a.example")
        shop.grant(f"{one}@a.example")
    shop.publish()
    watch = Watch(datetime(2026, 6, 1, 22, 59, 59))  # a second to midnight in London
    synced(shop, Slow(watch=watch), watch)
    shop.members = {}
    shop.rows["segments.seg_cart"] = [["c1", "left", "{}"], ["c2", "left", "{}"]]
    shop.publish()
    report = synced(shop, Slow("carts"), watch, Target("cart", "carts", "email", "marketing"))
    assert (report.sent["added"], report.held_back) == (1, {"contact_cap": 1})


def test_each_pair_has_a_moment_of_its_own(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(NOW)
    shop.add("c1", "c1@a.example")
    shop.grant("c1@a.example", expires_at=NOW + SECOND)
    shop.publish()
    monkeypatch.setattr(delivery, "open_destination", lambda *_: Slow(watch=watch))
    settings = Settings(destinations={"one": Destination(), "two": Destination()})
    context = DeliveryContext(shop.home, settings, shop.store, watch, "yes")
    pairs = [Target("vip", name, "email", "marketing") for name in ("one", "two")]
    one, two = [Delivery.sent(context.sync(pair)) for pair in pairs]
    assert (one.counts["added"], two.counts["added"], two.held_back) == (1, 0, {"expired": 1})


@pytest.mark.parametrize("is_demo", [False, True])
def test_the_pretend_shops_clock_stands_still_and_a_real_one_goes_on(
    shop: Shop, is_demo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "is_demo", lambda _home: is_demo)
    shop.publish()
    now = clock_of(shop.home)
    before = now()
    time.sleep(0.01)
    assert (now() == before == NOW) if is_demo else (now() > before > NOW)
