"""Whatever happens on the way, a destination ends with the newest intent for each person.

Each person of a world is one random interleaving: they are wanted, changed and not wanted at
random, while batches are refused, answers get lost, rows are accepted, and jobs run late and in
any order. The sync is the real one; who is wanted is given, and everybody is permitted.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration.activation import sync as sync_module
from orchestration.activation.gate import Decision
from orchestration.activation.ledger import broken_laws, open_intents
from orchestration.activation.moments import stopped
from orchestration.activation.plan import Plan, delivered_states, difference, open_rows
from orchestration.destinations.base import (
    Acknowledgement,
    Batch,
    Idempotency,
    Limits,
    Outcome,
    Payload,
    RetryLaterError,
    Row,
)
from orchestration.home.layout import Home
from orchestration.ops.store import Store, open_store
from tests.orchestration.activation.later import Later
from tests.orchestration.activation.shop import NOW, TARGET, Receiver

KINDS = [
    (Idempotency.KEY, Acknowledgement.APPLIED),
    (Idempotency.SET, Acknowledgement.APPLIED),
    (Idempotency.KEY, Acknowledgement.ASKABLE),
    (Idempotency.SET, Acknowledgement.ASKABLE),
]
STEP = timedelta(minutes=7)
LONGEST_JOB = timedelta(minutes=40)  # less than the destination's patience


def _day(at: datetime) -> Any:
    """As much of a day as a sync of handed-in plans asks for."""
    rules = SimpleNamespace(shop=SimpleNamespace(timezone="UTC"))
    return SimpleNamespace(as_of=at, only=None, rules=rules)


@dataclass
class World:
    """What is wanted of everybody, and a destination with troubles."""

    store: Store
    home: Home
    receiver: Receiver
    dice: random.Random
    people: list[str]
    wanted: dict[str, Payload] = field(default_factory=dict)
    at: datetime = NOW
    step: timedelta = STEP
    began: dict[str, datetime] = field(default_factory=dict)

    def change(self) -> None:
        """Some people come, go or change; the others stay as they are."""
        for name in self.people:
            roll = self.dice.random()
            if roll < 0.2:
                self.wanted.pop(name, None)
            elif roll < 0.6:
                reason = f"reason {self.dice.randrange(3)}"
                self.wanted[name] = {"customer_id": name, "email": f"{name}@x", "reason": reason}

    def sync(self) -> None:
        """One sync at a later moment."""
        self.at += self.step
        sync_module.sync(
            self.store,
            self.home,
            TARGET,
            self.receiver,
            at=self.at,
            clock=stopped(self.at),
            day=_day(self.at),
            wait=lambda _: None,
        )

    def run_jobs(self, share: float) -> None:
        """Some jobs of the destination run, in any order, some rows of theirs refused."""
        if not isinstance(self.receiver, Later):
            return
        for ticket in self.dice.sample(sorted(self.receiver.jobs), len(self.receiver.jobs)):
            since = self.began.setdefault(ticket, self.at)
            if self.dice.random() < share or self.at - since >= LONGEST_JOB:
                refused = [name for name in self.people if self.dice.random() < 0.05]
                self.receiver.apply(ticket, refused=refused if share < 1 else ())

    def plan(self, *_: Any, **__: Any) -> Plan:
        """What the sync plans: the difference alone."""
        with self.store.read() as connection:
            states = delivered_states(connection, TARGET)
            found = difference(self.wanted, states, open_rows(connection, TARGET))
        return Plan(TARGET, "run", found.changes, (), 0, 0, (), ())


@dataclass
class Troubled:
    """Wraps `deliver` of a receiver: refuses, loses answers, or does as it should."""

    receiver: Receiver
    dice: random.Random
    share: float = 0.3

    def __call__(self, batch: Batch) -> list[Outcome]:
        """Hand a batch over, or fail."""
        if self.dice.random() >= self.share or not batch.rows:
            return type(self.receiver).deliver(self.receiver, batch)
        trouble = self.dice.choice(["busy", "lost", "rejected", "partly"])
        if trouble == "busy":
            raise RetryLaterError("http_429")
        if trouble == "rejected":
            return [Outcome(row.key, "rejected", "told_so") for row in batch.rows]
        if trouble == "partly":
            return list(type(self.receiver).deliver(self.receiver, batch))[:1]
        for row in batch.rows:  # taken, and the answer is lost
            self.receiver.take(row)
        return []


class _Setting(Receiver):
    """A destination that knows no keys and no versions: it sets what a row says."""

    def take(self, row: Row) -> None:
        _set(self.members, row)


class _SettingLater(Later):
    """The same, later."""

    def take(self, row: Row) -> None:
        _set(self.members, row)


def _set(members: dict[str, Payload], row: Row) -> None:
    if row.operation == "removed":
        members.pop(row.customer_id, None)
    else:
        members[row.customer_id] = row.payload


def _receiver(idempotency: Idempotency, acknowledgement: Acknowledgement) -> Receiver:
    is_later = acknowledgement is Acknowledgement.ASKABLE
    by_key = idempotency is Idempotency.KEY
    kind = (Later if by_key else _SettingLater) if is_later else (Receiver if by_key else _Setting)
    return kind(idempotency=idempotency, acknowledgement=acknowledgement)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[Store, Home]]:
    home = Home(tmp_path / "home").create()
    with open_store(home) as opened:
        yield opened, home


def _interleave(
    store: tuple[Store, Home],
    monkeypatch: pytest.MonkeyPatch,
    receiver: Receiver,
    seed: int,
    people: int,
) -> World:
    dice = random.Random(seed)
    names = [f"c{number:04d}" for number in range(people)]
    world = World(*store, receiver, dice, names)
    monkeypatch.setattr(sync_module, "build_plan", world.plan)
    monkeypatch.setattr(sync_module, "load_identifiers", lambda *_: {})
    monkeypatch.setattr(sync_module, "_decide", _everybody)
    monkeypatch.setattr(sync_module, "_of_the_day", lambda _s, _c, decisions, *_: decisions)
    troubled = Troubled(receiver, dice)
    monkeypatch.setattr(receiver, "deliver", troubled)
    receiver.limits = Limits(max(7, people // 20))
    for _ in range(10):
        world.change()
        world.run_jobs(0.4)
        world.sync()
        assert broken_laws(world.store) == []
    troubled.share, world.step = 0.0, 3 * STEP
    for _ in range(6):
        world.run_jobs(1.0)
        world.sync()
    return world


def _everybody(_session: object, _store: object, asked: Any, *_: object) -> Mapping[str, Decision]:
    return {customer: Decision(None) for customer, _ in asked}


def _check(world: World) -> None:
    assert world.receiver.members == world.wanted
    assert open_intents(world.store, ["pending", "sending", "accepted", "unknown", "dead"]) == []
    assert broken_laws(world.store) == []
    assert world.plan().changes == ()


@pytest.mark.parametrize(("idempotency", "acknowledgement"), KINDS)
def test_the_destination_ends_with_the_newest_intent(
    store: tuple[Store, Home],
    monkeypatch: pytest.MonkeyPatch,
    idempotency: Idempotency,
    acknowledgement: Acknowledgement,
) -> None:
    receiver = _receiver(idempotency, acknowledgement)
    _check(_interleave(store, monkeypatch, receiver, seed=1, people=60))


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("idempotency", "acknowledgement"), KINDS)
def test_ten_thousand_interleavings_end_with_the_newest_intent(
    store: tuple[Store, Home],
    monkeypatch: pytest.MonkeyPatch,
    idempotency: Idempotency,
    acknowledgement: Acknowledgement,
    seed: int,
) -> None:
    receiver = _receiver(idempotency, acknowledgement)
    _check(_interleave(store, monkeypatch, receiver, seed=100 + seed, people=500))
