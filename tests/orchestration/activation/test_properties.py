"""No history of yes, no, merge and failure ends in an unlawful delivery or a wrong audience.

The oracle here is written apart from the gate: it replays every identifier's facts in time order.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.activation.gate import Identifier, Policy, decide, load_states
from orchestration.activation.ledger import broken_laws
from orchestration.activation.sync import sync
from orchestration.destinations.base import Batch, Limits, Outcome, Row
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import (
    ConsentEvent,
    record_consents,
)
from orchestration.ops.store import open_store, to_micros
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop, busy
from tests.orchestration.suppressions import Suppression, record_suppressions

pytestmark = pytest.mark.faults

ADDRESSES = {
    "email": {"email"},
    "sms": {"phone"},
    "push": {"device"},
    "ads": {"email", "phone"},
    "onsite": {"login", "device"},
}
Fact = ConsentEvent | Suppression
NEVER_UNDONE = ("manual", "gpc", "unknown_opt_out", "said what nobody knows")


def permits(
    facts: Iterable[Fact], channel: str, purpose: str, at: datetime = NOW
) -> tuple[bool, bool, bool]:
    """(opted out, bounced, opted in) of one identifier, by replaying its facts."""
    stops: dict[str, datetime] = {}
    latest: ConsentEvent | None = None
    bounced = False
    for fact in sorted(facts, key=lambda f: (f.occurred_at, isinstance(f, ConsentEvent))):
        if isinstance(fact, Suppression):
            every = fact.purpose == "*" and purpose != "transactional"
            if fact.channel not in (channel, "*") or not (fact.purpose == purpose or every):
                continue
            if fact.reason == "hard_bounce":
                bounced = True
            else:
                stops[fact.reason] = fact.occurred_at
            continue
        if fact.status != "granted":
            if fact.channel in (channel, "*") and fact.purpose in (purpose, "*"):
                known = fact.status in ("denied", "revoked")
                stops["said no" if known else "said what nobody knows"] = fact.occurred_at
            continue
        if (fact.channel, fact.purpose) != (channel, purpose) or fact.occurred_at > at:
            continue
        latest = fact
        if fact.wording_version or fact.proof:
            stops = {
                reason: moment
                for reason, moment in stops.items()
                if reason in NEVER_UNDONE or _second(moment) >= _second(fact.occurred_at)
            }
    is_valid = latest is not None and (latest.expires_at is None or latest.expires_at > at)
    return bool(stops), bounced, is_valid


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def is_lawful(
    facts: Sequence[Fact],
    identifiers: Iterable[tuple[str, str]],
    address: tuple[str, str],
    channel: str,
    purpose: str,
    at: datetime = NOW,
) -> bool:
    """Whether the person may be contacted at the address."""
    of = {
        key: permits(
            [f for f in facts if (f.identifier_type, f.identifier_value) == key],
            channel,
            purpose,
            at,
        )
        for key in identifiers
    }
    if any(stopped for stopped, _, _ in of.values()) or of[address][1]:
        return False
    if any(bounced and key[0] not in ADDRESSES[channel] for key, (_, bounced, _) in of.items()):
        return False
    if of[address][2]:
        return True
    person_wide = channel in ("ads", "onsite")
    return channel != "push" and any(
        yes
        and (key[0] not in ADDRESSES[channel] or person_wide)
        and (key[0] != "device" or person_wide)
        for key, (_, _, yes) in of.items()
    )


def random_fact(dice: random.Random, key: tuple[str, str]) -> Fact:
    """One fact about an identifier: a yes, a no or a suppression, on any channel."""
    channel = dice.choice(["email", "sms", "push", "ads", "onsite", "email", "*"])
    when = NOW + timedelta(days=dice.randint(-40, 3), microseconds=dice.randrange(10**9))
    if dice.random() < 0.25:
        return Suppression(
            *key,
            channel,
            dice.choice(["*", "*", "marketing", "transactional"]),
            dice.choice(["unsubscribed", "spam_report", "hard_bounce", "manual", "gpc"]),
            when,
            "test",
        )
    status = dice.choice(["granted"] * 4 + ["denied", "revoked"])
    expires = when + timedelta(days=dice.randint(1, 60)) if dice.random() < 0.3 else None
    return ConsentEvent(
        *key,
        channel,
        dice.choice(["marketing", "marketing", "ads", "transactional", "*"]),
        status,
        when,
        f"s{dice.randrange(1000)}",
        wording_version=dice.choice([None, "v1"]),
        expires_at=expires,
        proof=dice.choice([None, None, "p"]),
    )


def test_ten_thousand_profiles_on_five_channels_agree_with_the_oracle() -> None:
    dice = random.Random(5)
    people: dict[int, list[Identifier]] = {}
    facts: dict[tuple[str, str], list[Fact]] = {}
    for number in range(10_000):
        kinds = dice.sample(["email", "email", "phone", "device", "login"], dice.randint(1, 4))
        people[number] = [Identifier(k, f"{k}{number}-{i}") for i, k in enumerate(kinds)]
        for one in people[number]:
            facts[one.key] = [random_fact(dice, one.key) for _ in range(dice.randint(0, 4))]
    allowed = wrong = 0
    with tempfile.TemporaryDirectory() as folder, open_store(Home(Path(folder))) as store:
        every = [fact for known in facts.values() for fact in known]
        consents = [fact for fact in every if isinstance(fact, ConsentEvent)]
        record_consents(store, consents, recorded_at=NOW)
        stops = [fact for fact in every if isinstance(fact, Suppression)]
        record_suppressions(store, stops, recorded_at=NOW)
        for channel, kinds_there in ADDRESSES.items():
            for purpose in ("marketing", "transactional"):
                policy = Policy(channel, purpose)
                with store.read() as connection:
                    keys = list(facts)
                    known = load_states(connection, keys, policy, to_micros(NOW))
                for identifiers in people.values():
                    answer = decide(identifiers, known, policy)
                    lawful = any(
                        is_lawful(
                            [f for one in identifiers for f in facts[one.key]],
                            [one.key for one in identifiers],
                            one.key,
                            channel,
                            purpose,
                        )
                        for one in identifiers
                        if one.type in kinds_there
                    )
                    allowed += answer.allowed
                    wrong += answer.allowed is not lawful
    assert wrong == 0
    assert allowed > 1000


@dataclass
class _World:
    """A shop whose facts are remembered for the oracle, and a receiver that is checked."""

    shop: Shop
    facts: list[Fact] = field(default_factory=list)
    unlawful: list[Row] = field(default_factory=list)

    def state(self, fact: Fact) -> None:
        if isinstance(fact, Suppression):
            record_suppressions(self.shop.store, [fact], recorded_at=NOW)
        else:
            record_consents(self.shop.store, [fact], recorded_at=NOW)
        self.facts.append(fact)

    def check(self, row: Row) -> None:
        if row.operation == "removed":
            return
        address = ("email", row.payload["email"])
        identifiers = self.shop.people[row.customer_id]
        if not is_lawful(self.facts, identifiers, address, "email", "marketing"):
            self.unlawful.append(row)


class _Checked(Receiver):
    """Applies rows in the order they come, without looking at versions, and checks each."""

    world: _World

    def deliver(self, batch: Batch) -> list[Outcome]:
        for row in batch.rows:
            self.world.check(row)
        return super().deliver(batch)

    def take(self, row: Row) -> None:
        if row.key in self.keys:
            self.duplicates += 1
            return
        self.keys.add(row.key)
        assert row.version > self.versions.get(row.customer_id, 0), "an older intent overtook"
        self.versions[row.customer_id] = row.version
        if row.operation == "removed":
            self.members.pop(row.customer_id, None)
        else:
            self.members[row.customer_id] = row.payload


PEOPLE = ["c1", "c2", "c3", "c4"]
FAILURES: list[Any] = [None, None, None, False, "busy", "unknown", "rejected", "crash"]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("fact"), st.sampled_from(PEOPLE), st.integers(0, 10_000)),
        st.tuples(st.just("yes"), st.sampled_from(PEOPLE), st.integers(0, 10)),
        st.tuples(st.just("member"), st.sampled_from(PEOPLE), st.integers(0, 2)),
        st.tuples(st.just("merge"), st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)),
        st.tuples(
            st.just("sync"), st.lists(st.sampled_from(FAILURES), max_size=6), st.integers(1, 3)
        ),
    ),
    max_size=25,
)


def _apply(world: _World, receiver: _Checked, step: tuple[Any, ...]) -> None:
    shop = world.shop
    what, first, second = step
    if what == "fact" and first in shop.people:
        dice = random.Random(second)
        world.state(random_fact(dice, dice.choice(list(shop.people[first]))))
    elif what == "yes" and first in shop.people:
        key = shop.people[first][0]
        when = NOW - timedelta(days=second)
        world.state(ConsentEvent(*key, "email", "marketing", "granted", when, "form", f"v{second}"))
    elif what == "member" and first in shop.people:
        if second:
            shop.members[first] = f"reason {second}"
        else:
            shop.members.pop(first, None)
    elif what == "merge" and first != second and {first, second} <= shop.people.keys():
        shop.people[second] = [*shop.people[second], *shop.people.pop(first)]
        shop.members.pop(first, None)
        shop.aliases = {old: second if new == first else new for old, new in shop.aliases.items()}
        shop.aliases[first] = second
    elif what == "sync":
        receiver.answers = [
            busy() if answer == "busy" else KeyboardInterrupt() if answer == "crash" else answer
            for answer in first
        ]
        receiver.limits = Limits(second)
        _sync(world, receiver)


def _sync(world: _World, receiver: _Checked) -> None:
    world.shop.publish()
    try:
        sync(world.shop.store, world.shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)
    except KeyboardInterrupt:
        return
    assert broken_laws(world.shop.store) == []


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(steps)
def test_no_history_ends_unlawfully_or_wrongly(history: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder)).create()
        with open_store(home) as store:
            shop = Shop(home, store)
            world, receiver = _World(shop), _Checked()
            receiver.world = world
            for name in PEOPLE:
                shop.add(name, f"{name}@example.com", f"login:{name}", member=name < "c3")
            for step in history:
                _apply(world, receiver, step)
                assert world.unlawful == []
            receiver.answers = []
            _sync(world, receiver)
            _sync(world, receiver)
            assert world.unlawful == []
            lawful = {
                name: shop.members[name]
                for name in shop.members
                if any(
                    is_lawful(world.facts, shop.people[name], key, "email", "marketing")
                    for key in shop.people[name]
                    if key[0] == "email"
                )
            }
            # A merged id lives on at this receiver only as the `previous` of an update.
            got = {name: payload["reason"] for name, payload in receiver.members.items()}
            assert {name: got[name] for name in got if name in shop.people} == lawful
