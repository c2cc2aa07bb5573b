"""Scenes of people who live together, and of those who only seem to.

Belongs here: raw rows and nothing else, like in `scenes`. What must come of them stands in
tests/dbt/models/test_households.py.
"""

# ruff: noqa: E501 - raw rows read best as a table, one to a line
from __future__ import annotations

from typing import Any

from tests.dbt.scenes import event, order, person
from tests.dbt.world import World


def place(street: str, postcode: str, unit: str | None = None) -> dict[str, Any]:
    """An address in an order's JSON."""
    return {"address1": street, "address2": unit, "zip": postcode}


def lives(first: str, last: str, *address: str) -> dict[str, Any]:
    """A billing name and address."""
    billing = person(first, last)["billing_address"]
    return {"billing_address": billing | place(*address)}


def households(world: World) -> None:
    """Families by address, card and tablet; an office, flats, a kiosk, a mover, a gift, a chain."""
    nine = [f"clerk{n}" for n in range(9)]
    chain = [f"link{n}" for n in range(10)]
    names = ["Ada", "Ben", "Cleo", "Dan", "Edie", "Finn", "Gwen", "Hugo", "Ivy", "Jack"]
    world.add(
        "raw_orders.orders",
        [
            # one address in two spellings
            order("h01", "02 09:00:00", email="ewan@elm.example", **lives("Ewan", "Elm", "12 Elm Street", "AB1 2CD")),
            order("h02", "03 09:00:00", email="faye@elm.example", **lives("Faye", "Elm", "12 ELM St.", "ab12cd")),
            # three names on one card
            order("h11", "02 09:00:00", email="gus@card.example", payment_fingerprint="card-three", **person("Gus", "Card")),
            order("h12", "03 09:00:00", email="hope@card.example", payment_fingerprint="card-three", **person("Hope", "Card")),
            order("h13", "04 09:00:00", email="iris@card.example", payment_fingerprint="card-three", **person("Iris", "Card")),
            # an office: nine people and one door
            *[order(f"h2{n}", "02 09:00:00", email=f"{who}@office.example", **lives(names[n], "Clerk", "1 Works Road", "OF1 1CE")) for n, who in enumerate(nine)],
            # two flats of one house
            order("h31", "02 09:00:00", email="una@flats.example", **lives("Una", "Low", "5 High Lane", "FL1 1AT", "Flat 1")),
            order("h32", "03 09:00:00", email="vito@flats.example", **lives("Vito", "High", "5 High Lane", "FL1 1AT", "Flat 2")),
            # whoever moved out does not live with whoever moved in
            order("h41", "02 09:00:00", email="walt@moved.example", **lives("Walt", "Old", "7 Old Lane", "MO1 1VE")),
            order("h42", "09 09:00:00", email="walt@moved.example", **lives("Walt", "Old", "8 New Lane", "MO2 2VE")),
            order("h43", "10 09:00:00", email="xena@moved.example", **lives("Xena", "New", "7 Old Lane", "MO1 1VE")),
            # a parcel to a friend
            order("h51", "02 09:00:00", email="yan@gift.example", **lives("Yan", "Giver", "1 Own Road", "GI1 1FT"), shipping_address=place("2 Friend Road", "GI2 2FT")),
            order("h52", "03 09:00:00", email="zita@gift.example", **lives("Zita", "Friend", "2 Friend Road", "GI2 2FT")),
            # two homes of five that one card ties: ten are no home
            *[order(f"h6{n}", "02 09:00:00", email=f"{who}@chain.example", **lives(names[n], "Link", f"{n // 5} Chain Road", "CH1 1AN")) for n, who in enumerate(chain)],
            *[order(f"h7{n}", "03 09:00:00", email=f"link{n}@chain.example", payment_fingerprint="card-link", **person(names[n], "Link")) for n in (0, 5)],
        ],
    )  # fmt: skip
    world.add(
        "raw_web.events",
        [
            # a tablet in the kitchen, and one in the shop
            *[event(800 + n, f"05 09:{n:02d}", "kitchen", f"child-{n}") for n in range(3)],
            *[event(810 + n, f"05 09:{n:02d}", "lobby", f"guest-{n}") for n in range(7)],
        ],
    )
