"""Values that thousands of people share, among people whose truth is known (RELIABILITY B8).

Belongs here: that nobody is merged through a kiosk, a role or dummy address, a household's address,
a number that was passed on or a till's login, and that people are found all the same. Does not
belong here: each refusal by itself (test_identity_people.py), more rows (test_identity_hubs.py).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from math import comb
from pathlib import Path
from typing import Any

import pytest

from tests.dbt import scenes
from tests.dbt.world import PROJECT, World

pytestmark = pytest.mark.faults  # 7,800 people are resolved

KIOSK, OTHERS = 5_000, 400
SHARED = ("kiosk", "till", "info@hub.example", "test@test.com")
WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
Key = tuple[str, str]


class Labelled(World):
    """A world that knows whose each identifier is."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "2026-06-01 00:00:00")
        self.truth: dict[Key, str] = {}
        self.events: list[dict[str, Any]] = []
        self.contacts: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []

    def own(self, person: str, kind: str, value: str) -> str:
        self.truth[kind, value] = person
        return value

    def identify(self, device: str, login: str | None, email: str) -> None:
        number = len(self.events)
        minute = f"{1 + number % 28:02d} {number // 60 % 24:02d}:{number % 60:02d}"
        self.events.append(scenes.identify(number, minute, device, login, email=email))

    def order(self, at: str, **payload: Any) -> None:
        self.orders.append(scenes.order(str(len(self.orders) + 1), at, **payload))

    def load(self) -> None:
        self.add("raw_web.events", self.events)
        self.add("raw_contacts.contacts", self.contacts)
        self.add("raw_orders.orders", self.orders)


def add_kiosk(world: Labelled) -> None:
    """Each types an address on the shop's kiosk and at home; every second one signs in."""
    for number in range(KIOSK):
        person = f"kiosk-{number}"
        email = world.own(person, "email", f"k{number}@kiosk.example")
        login = world.own(person, "login", f"u{number}") if number % 2 else None
        world.identify(world.own(person, "device", f"d{number}"), login, email)
        world.identify("kiosk", login, email)


def add_till(world: Labelled) -> None:
    """A login that the staff uses on every device at which a customer says an address."""
    for number in range(OTHERS):
        email = world.own(f"till-{number}", "email", f"t{number}@till.example")
        world.identify(world.own(f"till-{number}", "device", f"t{number}"), None, email)
        world.identify(f"till-device-{number}", "till", email)


def add_roles(world: Labelled) -> None:
    """One address under many names: a role's, and one that staff makes up."""
    for place, address in enumerate(SHARED[2:]):
        for number in range(OTHERS):
            person = f"role-{place}-{number}"
            world.contacts.append(
                {
                    "email": address,
                    "phone": world.own(person, "phone", f"+44791{place}1{number:05d}"),
                    "customer_ref": world.own(person, "orders_customer_id", f"R{place}{number}"),
                    "first_name": f"Name{number}",
                    "last_name": f"Family{number}",
                    "source": "store_till",
                    "created_at": "2026-05-01 00:00:00",
                }
            )


def add_recycled_phones(world: Labelled) -> None:
    """A number of one buyer that another one has two years later."""
    for number in range(OTHERS):
        phone = f"+4479151{number:05d}"
        for owner, year in (("first", "2024"), ("second", "2026")):
            person = f"recycled-{owner}-{number}"
            for day in ("03", "09"):
                world.order(
                    f"{day} 10:00:00",
                    phone=phone,
                    email=world.own(person, "email", f"{owner}{number}@phones.example"),
                    payment_fingerprint=world.own(person, "payment_card", f"c{owner}{number}"),
                    **scenes.person(f"{owner}{number}", f"Phone{owner}{number}"),
                )
                for column in ("created_at", "processed_at", "updated_at"):
                    world.orders[-1][column] = f"{year}-05-{day} 10:00:00"


def add_households(world: Labelled) -> None:
    """Two at one address with one family name."""
    for number in range(OTHERS):
        for first in ("Ann", "Bob"):
            person = f"home-{number}-{first}"
            home = {"address1": f"{number} High Street", "zip": f"AB{number} 1CD", "city": "Town"}
            bill = scenes.person(first, f"House{number}")["billing_address"] | home
            world.order(
                "05 10:00:00",
                email=world.own(person, "email", f"{first}{number}@home.example".lower()),
                payment_fingerprint=world.own(person, "payment_card", f"h{first}{number}"),
                billing_address=bill,
            )


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Labelled, dict[Key, str]]]:
    """The world and the customer of each identifier that has one."""
    world = Labelled(Path(tmp_path_factory.mktemp("crowds")))
    for add in (add_kiosk, add_till, add_roles, add_recycled_phones, add_households):
        add(world)
    world.load()
    world.build("--select", "+int_customer_identifiers", "+fct_identity_edges", *WITHOUT_TESTS)
    with world.warehouse() as connection:
        rows = connection.execute(
            "select identifier_type, identifier_value, customer_id"
            " from intermediate.int_customer_identifiers where customer_id is not null"
        ).fetchall()
    yield world, {(kind, value): customer for kind, value, customer in rows}


def pairs(groups: Counter[Any]) -> int:
    """Pairs within groups of these sizes."""
    return sum(comb(size, 2) for size in groups.values())


def test_nobody_is_merged_and_nearly_everybody_is_found(
    crowds: tuple[Labelled, dict[Key, str]],
) -> None:
    world, owners = crowds
    found = {key: owners[key] for key in world.truth if key in owners}
    right = Counter((world.truth[key], owner) for key, owner in found.items())
    together, true = pairs(right), pairs(Counter(world.truth.values()))
    claimed = pairs(Counter(found.values()))
    print(
        f"{len(world.truth)} identifiers, pairs {claimed}, {together / true:.4f} of the true ones"
    )
    assert claimed - together == 0, "strangers are one customer"
    assert together / claimed >= 0.995
    assert together / true >= 0.97


@pytest.mark.parametrize("value", SHARED)
def test_what_a_crowd_shares_is_of_none_of_them(
    crowds: tuple[Labelled, dict[Key, str]], value: str
) -> None:
    """A kiosk goes on as an anonymous visitor of its own."""
    world, owners = crowds
    theirs = {owners[key] for key in world.truth if key in owners}
    assert not theirs & {customer for key, customer in owners.items() if key[1] == value}


def test_no_person_has_more_than_one_may_have(crowds: tuple[Labelled, dict[Key, str]]) -> None:
    """So no profile is beyond its limit, and none has to be kept from sends for that."""
    _, owners = crowds
    held = Counter((customer, kind) for (kind, _), customer in owners.items())
    with (PROJECT / "seeds" / "person_limits.csv").open(encoding="utf-8", newline="") as stream:
        limits = [row for row in csv.DictReader(stream) if not row["window_days"]]
    for limit in limits:
        kind, most = limit["identifier_type"], int(limit["max_count"])
        assert max((n for (_, of), n in held.items() if of == kind), default=0) <= most, kind


def test_every_pair_of_one_person_has_a_path_of_used_edges(
    crowds: tuple[Labelled, dict[Key, str]],
) -> None:
    """What `explain --why` draws: RELIABILITY B9 asks for all pairs."""
    world, owners = crowds
    with world.warehouse() as connection:
        edges = connection.execute(
            "select identifier_a_type, identifier_a_value, identifier_b_type, identifier_b_value"
            " from marts.fct_identity_edges where status = 'used'"
        ).fetchall()
    parents: dict[Key, Key] = {}

    def root(key: Key) -> Key:
        while parents.setdefault(key, key) != key:
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    for a_type, a_value, b_type, b_value in edges:
        parents[root((a_type, a_value))] = root((b_type, b_value))
    roots: dict[str, set[Key]] = {}
    for key, customer in owners.items():
        roots.setdefault(customer, set()).add(root(key))
    assert len(roots) > KIOSK
    assert not [customer for customer, several in roots.items() if len(several) > 1]
