"""Scenes of customers whom somebody should look at: perhaps several people in one, perhaps one in two.

Belongs here: raw rows and nothing else, like in `scenes`. What must come of them stands in
tests/dbt/models/test_identity_review.py.
"""

# ruff: noqa: E501 - raw rows read best as a table, one to a line
from __future__ import annotations

from tests.dbt.scenes import identify, order, person
from tests.dbt.scenes_households import lives
from tests.dbt.world import World


def review(world: World) -> None:
    """Two logins, two birthdays, a weak chain, many addresses; namesakes with something in common."""
    said = {"source": "import", "created_at": "2026-05-10 10:00:00"}
    namesake = said | {"first_name": "Nora", "last_name": "Same"}
    world.add(
        "raw_web.events",
        [
            identify(900, "02 09:00", "dual-1", "dual-a", email="dual@logins.example"),
            identify(901, "03 09:00", "dual-2", "dual-b", email="dual@logins.example"),
            *[identify(910 + n, "04 09:00", f"many-{n}", "many", email=f"m{n}@many.example") for n in range(5)],
            identify(920, "05 09:00", "chain-pc", "chain-login", email="right@weak.example"),
        ],
    )  # fmt: skip
    world.add(
        "raw_contacts.contacts",
        [
            said | {"email": "born@twice.example", "birthday": "1980-01-01"},
            said | {"email": "born@twice.example", "birthday": "1990-01-01", "source": "newsletter"},
            # a loyalty card and a login that a phone number on two list entries ties
            said | {"email": "left@weak.example", "loyalty_id": "L91", "source": "store_till"},
            said | {"email": "left@weak.example", "phone": "07911 700900"},
            said | {"email": "right@weak.example", "phone": "07911 700900"},
            # one name, born on one day; and two of that name whom a rule keeps apart
            namesake | {"email": "n1@born.example", "birthday": "1985-05-05"},
            namesake | {"email": "n2@born.example", "birthday": "1985-05-05"},
            namesake | {"email": "n3@apart.example", "postcode": "AP1 1RT"},
            namesake | {"email": "n4@apart.example", "postcode": "ap11rt"},
            # a name and a postcode that too many have
            *[said | {"email": f"p{n}@crowd.example", "first_name": "Max", "last_name": "Usual", "postcode": "CR0 0WD"} for n in range(51)],
        ],
    )  # fmt: skip
    world.add(
        "raw_orders.orders",
        [
            order("r01", "02 09:00:00", email="greta@one.example", **lives("Greta", "Twin", "3 Same Street", "SA1 1ME")),
            order("r02", "03 09:00:00", email="greta.twin@two.example", **lives("Greta", "Twin", "3 Same St", "SA1 1ME")),
            order("r11", "02 09:00:00", email="wordy.words@one.example", **person("Wordy", "Words")),
            order("r12", "03 09:00:00", email="wordy.words@two.example", **person("Wordy", "Words")),
            # a card of two people, one of whom has two addresses
            order("r21", "02 09:00:00", email="rae1@mixed.example", payment_fingerprint="card-mixed", **person("Rae", "Mixed")),
            order("r22", "03 09:00:00", email="rae2@mixed.example", payment_fingerprint="card-mixed", **person("Rae", "Mixed")),
            order("r23", "04 09:00:00", email="sol@mixed.example", payment_fingerprint="card-mixed", **person("Sol", "Mixed")),
            order("r31", "02 09:00:00", email="trip@abroad.example", billing_address={"country_code": "GB"}),
            order("r32", "03 09:00:00", email="trip@abroad.example", billing_address={"country_code": "SE"}),
        ],
    )  # fmt: skip
    world.add(
        "raw_identity_rules.identity_rules",
        [
            {
                "rule": "cannot_link",
                "type_a": "email",
                "value_a": "n3@apart.example",
                "type_b": "email",
                "value_b": "n4@apart.example",
                "reason": "mother and daughter",
            }
        ],
    )
