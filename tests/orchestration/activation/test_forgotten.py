"""Whoever was forgotten is refused by the gate, whatever else is known (RELIABILITY A8)."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import select

from ingestion.forgetting.hidden import DIGEST
from orchestration.activation import gate
from orchestration.activation.gate import (
    Decision,
    Identifier,
    Policy,
    Reason,
    decide,
    load_states,
)
from orchestration.activation.plan import build_plan
from orchestration.activation.sync import sync
from orchestration.ops import schema
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import to_micros
from orchestration.ops.tombstones import Erasable, Key, forgotten_at, request
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop
from tests.orchestration.activation.test_properties import ADDRESSES, Fact, random_fact
from tests.orchestration.suppressions import record_suppressions

A = ("email", "a@example.com")


def forget(shop: Shop, *keys: Key) -> str:
    with shop.store.write() as connection:
        return request(connection, Erasable(("c1",), keys), reason="asked", at=NOW)


def ask(shop: Shop, *people: list[Identifier], channel: str, purpose: str) -> list[Decision]:
    policy = Policy(channel, purpose)
    with shop.store.read() as connection:
        keys = {one.key for identifiers in people for one in identifiers}
        states = load_states(connection, keys, policy, to_micros(NOW))
    return [decide(identifiers, states, policy) for identifiers in people]


@pytest.mark.faults
def test_no_history_lets_a_forgotten_identifier_through(shop: Shop) -> None:
    dice = random.Random(8)
    people = []
    facts: list[Fact] = []
    for number in range(10_000):
        kinds = dice.sample(["email", "email", "phone", "device", "login"], dice.randint(1, 4))
        identifiers = [Identifier(k, f"{k}{number}-{i}") for i, k in enumerate(kinds)]
        for one in identifiers:
            facts += [random_fact(dice, one.key) for _ in range(dice.randint(0, 4))]
        people.append(identifiers)
    consents = [fact for fact in facts if isinstance(fact, ConsentEvent)]
    record_consents(shop.store, consents, recorded_at=NOW)
    refusals = [fact for fact in facts if not isinstance(fact, ConsentEvent)]
    record_suppressions(shop.store, refusals, recorded_at=NOW)
    gone = [dice.choice(identifiers).key for identifiers in people[:5_000]]
    before = {
        channel: ask(shop, *people, channel=channel, purpose="marketing") for channel in ADDRESSES
    }
    with shop.store.write() as connection:
        request(connection, Erasable((), tuple(gone)), reason="asked", at=NOW)
    for channel in ADDRESSES:
        for purpose in ("marketing", "ads", "transactional"):
            answers = ask(shop, *people[:5_000], channel=channel, purpose=purpose)
            assert {answer.reason for answer in answers} == {Reason.FORGOTTEN}
        # Nobody else's answer changes.
        after = ask(shop, *people, channel=channel, purpose="marketing")
        assert after[5_000:] == before[channel][5_000:]
    assert sum(answer.allowed for answer in before["email"][:5_000]) > 200


def test_a_yes_that_comes_afterwards_changes_nothing(shop: Shop) -> None:
    forget(shop, A)
    shop.grant(A[1], at=NOW + timedelta(days=1))
    policy = Policy("email", "marketing")
    with shop.store.read() as connection:
        states = load_states(connection, {A}, policy, to_micros(NOW + timedelta(days=2)))
    assert decide([Identifier(*A)], states, policy).reason is Reason.FORGOTTEN


def test_a_tombstone_holds_no_value_and_asking_twice_adds_none(shop: Shop) -> None:
    first = forget(shop, A, ("phone", "+447700900123"))
    assert forget(shop, A, ("phone", "+447700900123")) == first
    with shop.store.read() as connection:
        rows = connection.execute(select(schema.tombstones)).mappings().all()
        assert forgotten_at(connection, [A]) == NOW
        assert forgotten_at(connection, [("login", A[1])]) is None
    assert sum(row["identifier_type"] != DIGEST for row in rows) == 2
    assert "example.com" not in str(rows)
    assert "7700900123" not in str(rows)


@pytest.mark.parametrize("large", [False, True])
def test_the_next_sync_removes_whoever_was_forgotten(
    shop: Shop, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_LARGE", 0 if large else 5_000)
    shop.add("c1", "a@example.com", "login:u1")
    shop.add("c2", "b@example.com")
    for one in ("a@example.com", "b@example.com"):
        shop.grant(one)
    shop.publish()
    receiver = Receiver()
    sync(shop.store, shop.home, TARGET, receiver, at=NOW)
    assert set(receiver.members) == {"c1", "c2"}
    forget(shop, ("login", "u1"))  # one of her identifiers is enough, though it is no address
    held = build_plan(shop.store, shop.home, TARGET, at=NOW).held_back_counts
    assert held == {"forgotten": 1}
    sync(shop.store, shop.home, TARGET, receiver, at=NOW)
    assert set(receiver.members) == {"c2"}


def test_a_message_that_waits_does_not_leave(shop: Shop) -> None:
    shop.add("c1", "a@example.com")
    shop.grant("a@example.com")
    shop.publish()

    class Asked(Receiver):
        def deliver(self, batch):  # type: ignore[no-untyped-def]
            asked.append(len(batch.rows))
            return super().deliver(batch)

    asked: list[int] = []
    receiver = Asked()

    def forget_while_waiting(_seconds: float) -> None:
        forget(shop, A)

    receiver.answers = ["retry"]
    sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=forget_while_waiting)
    assert receiver.members == {}
    assert asked[0] == 1
