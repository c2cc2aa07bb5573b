"""The integers of the identifier dictionary say nothing: no verdict may follow their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dbt import scenes
from tests.dbt.world import World

IDENTITY = (
    *("--select", "+fct_identity_edges", "+int_customer_identifiers"),
    *("--exclude", "path:tests"),
)
EDGES = (
    "select identifier_a_value, identifier_b_value, refusal_reason "
    "from marts.fct_identity_edges order by all"
)
OWNERS = (
    "select identifier_value, customer_id from intermediate.int_customer_identifiers order by all"
)


def found(world: World, query: str) -> list[tuple[str, ...]]:
    """Rows of the warehouse."""
    with world.warehouse() as con:
        return con.execute(query).fetchall()


def paid_order(
    number: str, day: int, email: str | None, name: tuple[str, str] | None, **more: object
) -> dict[str, object]:
    """An order of May, paid for, under a name or none."""
    billing = scenes.person(*name) if name else {}
    return scenes.order(number, f"{day:02d} 08:00:00", email=email, **billing, **more)


ANN, BOB = ("Ann", "One"), ("Bob", "Two")
ON_HER_LAPTOP = [{"name": "anonymous_id", "value": "a-laptop"}]
CAME_FIRST = [
    # a phone of two people, and later a till's device beside it
    paid_order("1", 1, "a1@a.example", ANN, phone="+447400123456"),
    paid_order("2", 2, "b1@a.example", BOB, phone="+447400123456"),
    # Ann's laptop; later a third address on it with Bob's phone: one of the two ties is cut
    paid_order("3", 1, "a2@a.example", ANN, note_attributes=ON_HER_LAPTOP),
]
CAME_LATER = [
    paid_order(
        *("4", 6, None, None),
        phone="+447400123456",
        note_attributes=[{"name": "anonymous_id", "value": "a-till"}],
    ),
    paid_order("5", 5, "b2@a.example", BOB, phone="+447400765432"),
    paid_order(
        *("6", 6, "c@a.example", None), phone="+447400765432", note_attributes=ON_HER_LAPTOP
    ),
]
SIGNED_IN = [
    scenes.event(1, "06 07:00", "a-till", "a-login"),
    scenes.event(2, "06 09:00", "a-till", "b-login"),
]


@pytest.mark.faults
def test_no_verdict_follows_which_value_came_first(tmp_path: Path) -> None:
    """The dictionary counts values as they come; what is equal otherwise must not go by that."""
    stepwise = World(tmp_path / "stepwise", "2026-05-08 00:00:00")
    stepwise.add("raw_orders.orders", CAME_FIRST)
    stepwise.build(*IDENTITY)
    at_once = World(tmp_path / "at_once", "2026-05-08 00:00:00")
    at_once.add("raw_orders.orders", CAME_FIRST)
    for world in (stepwise, at_once):
        world.new_load()
        world.add("raw_orders.orders", CAME_LATER)
        world.add("raw_web.events", SIGNED_IN)
        world.build(*IDENTITY)
    assert found(stepwise, EDGES) == found(at_once, EDGES)
    assert found(stepwise, OWNERS) == found(at_once, OWNERS)
    refusals = {(a, b): reason for a, b, reason in found(stepwise, EDGES)}
    assert refusals["a-till", "+447400123456"] == "shared_device"
    assert refusals["c@a.example", "+447400765432"] == "several_people"
