"""marts.contactability against the gate that decides at the moment of sending, person by person.

Belongs here: that models and gate read the same facts alike, over many random histories. Does not
belong here: whether the rule itself is right (tests of the gate, golden tests).
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from ingestion.vocabulary import CHANNELS, GRADES, PURPOSES
from orchestration.activation.gate import Identifier, Policy, decide, load_states
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import (
    ConsentEvent,
    record_consents,
)
from orchestration.ops.store import open_store, to_micros
from tests.dbt.marts.shop import Row, Shop
from tests.orchestration.suppressions import Suppression, record_suppressions

AS_OF = dt.datetime(2026, 3, 31, 12)
PEOPLE = 150
MANY = 10_000
KINDS = ("email", "email", "phone", "login", "device", "loyalty_id")
REASONS = (
    *("unsubscribed", "hard_bounce", "spam_report", "manual", "gpc"),
    *("unknown_opt_out", "denied", "revoked"),
)


def ago(choice: random.Random) -> dt.datetime:
    # Few distinct days, so that facts often share a moment or its second.
    # Some lie ahead: clocks do, and a refusal counts whatever its date.
    within = dt.timedelta(milliseconds=choice.choice([0, 0, 300, 600]))
    return AS_OF - dt.timedelta(days=choice.randrange(-3, 12)) + within


def random_people(shop: Shop, choice: random.Random, count: int) -> list[tuple[str, str]]:
    found = []
    for number in range(count):
        customer = f"person_{number:05d}"
        shop.person(customer, AS_OF - dt.timedelta(days=900), known=False)
        shop.rows["int_customers"][-1]["has_known_identifier"] = True
        shop.rows["int_customer_identifiers"].pop()
        for serial, kind in enumerate(choice.sample(KINDS, choice.randrange(1, 5))):
            rank = choice.randrange(6)
            value = f"{customer}-{serial}@x.example" if kind == "email" else f"{customer}-{serial}"
            shop.identifier(
                customer,
                kind,
                value,
                AS_OF - dt.timedelta(days=choice.randrange(20, 900)),
                evidence_grade=GRADES[rank],
                evidence_rank=rank + 1,
                last_seen_at=AS_OF - dt.timedelta(days=choice.randrange(20)),
            )
            found.append((kind, value))
    return found


def random_consents(people: list[tuple[str, str]], choice: random.Random) -> list[ConsentEvent]:
    events = []
    for kind, value in people:
        for _ in range(choice.randrange(5)):
            status = choice.choice(["granted", "granted", "granted", "denied", "revoked"])
            every = status != "granted" and choice.random() < 0.2
            at = ago(choice)
            events.append(
                ConsentEvent(
                    identifier_type=kind,
                    identifier_value=value,
                    channel="*" if every else choice.choice(CHANNELS[:2] * 2 + CHANNELS),
                    purpose="*" if every else choice.choice(PURPOSES[:1] * 4 + PURPOSES),
                    status=status,
                    occurred_at=at,
                    source=choice.choice(["newsletter", "checkout", " "]),
                    wording_version=choice.choice([None, "v1", "v2"]),
                    expires_at=choice.choice([None, None, at + dt.timedelta(days=5)]),
                    proof=choice.choice([None, "ip and time"]),
                    lawful_basis=choice.choice(["consent", "soft_opt_in", "contract"]),
                )
            )
    return events


def random_suppressions(people: list[tuple[str, str]], choice: random.Random) -> list[Suppression]:
    return [
        Suppression(
            identifier_type=kind,
            identifier_value=value,
            channel=choice.choice(["email", "email", "sms", "ads", "*"]),
            purpose=choice.choice(["*", "*", "marketing", "sell_share"]),
            reason=choice.choice(REASONS),
            occurred_at=ago(choice),
            source="email",
        )
        for kind, value in people
        if choice.random() < 0.12
    ]


def columns(fact: ConsentEvent | Suppression) -> Row:
    return dict(vars(fact))


@pytest.mark.parametrize(
    ("count", "double_opt_in"),
    [
        (PEOPLE, False),
        pytest.param(PEOPLE, True, marks=pytest.mark.faults),
        pytest.param(MANY, False, marks=pytest.mark.faults),
    ],
)
def test_models_and_gate_agree_on_everybody(
    tmp_path: Path, count: int, double_opt_in: bool
) -> None:
    choice = random.Random(11)
    shop = Shop(tmp_path / "home", AS_OF)
    people = random_people(shop, choice, count)
    consents = random_consents(people, choice)
    consents.append(ConsentEvent(*people[0], "email", "group:7", "revoked", AS_OF, source="email"))
    suppressions = random_suppressions(people, choice)
    for event in {event.consent_event_id: event for event in consents}.values():
        receipt = {"consent_event_id": event.consent_event_id, "recorded_at": AS_OF}
        shop.add("consent_events", **columns(event), **receipt)
    for fact in {fact.suppression_id: fact for fact in suppressions}.values():
        shop.add("suppressions", **columns(fact), suppression_id=fact.suppression_id)
    asked = ("contactability", "identifier_permissions", "bridge_customer_identifiers")
    shop.build({"double_opt_in": True} if double_opt_in else {}, up_to=asked, tested=False)

    identifiers: dict[str, list[Identifier]] = {}
    for row in shop.query("from marts.bridge_customer_identifiers order by all"):
        identifiers.setdefault(row["customer_id"], []).append(
            Identifier(
                row["identifier_type"],
                row["identifier_value"],
                row["evidence_grade"],
                row["is_primary"],
                row["is_dormant"],
                to_micros(row["last_seen_at"]),
            )
        )
    store = open_store(Home(shop.home))
    record_consents(store, consents, recorded_at=AS_OF)
    record_suppressions(store, suppressions, recorded_at=AS_OF)
    outcomes = set()
    with store.read() as connection:
        for channel in CHANNELS:
            for purpose in PURPOSES:
                policy = Policy(channel, purpose, double_opt_in)
                keys = [one.key for known in identifiers.values() for one in known]
                standings = load_states(connection, keys, policy, to_micros(AS_OF))
                rows = shop.query(
                    "select * from marts.contactability "
                    f"where channel = '{channel}' and purpose = '{purpose}'"
                )
                assert len(rows) == count
                for row in rows:
                    gate = decide(identifiers[row["customer_id"]], standings, policy)
                    expected = (gate.reason or "granted", gate.address, gate.receipt_id)
                    address = (row["address_type"], row["address"])
                    is_yes = row["is_contactable"]
                    found = (row["reason"], address if is_yes else None, row["consent_receipt_id"])
                    assert found == expected, (row["customer_id"], channel, purpose)
                    outcomes.add(row["reason"])
    groups = shop.query("from marts.identifier_permissions where purpose like 'group:%'")
    assert [(row["identifier_value"], row["opt_out_reason"]) for row in groups] == [
        (people[0][1], "revoked")
    ]
    assert len(outcomes) >= 10, f"the histories are too tame: {sorted(outcomes)}"
