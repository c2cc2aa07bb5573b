"""Ids of people over many daily runs (RELIABILITY B9): who did not change keeps the id.

Belongs here: one world that arrives day by day, each day in another order, against the day before
and against all of it at once. Does not belong here: single merges and splits (test_increments.py).
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.dbt.conftest import AS_OF
from tests.dbt.models.test_increments import IDENTITY, commit, owners, people, scattered
from tests.dbt.world import World

pytestmark = pytest.mark.faults  # a history built day by day

DAYS = 30 if os.environ.get("REGULARS_SOAK") else 4
MODELS = ("--select", "+int_identity_registry_next", "+int_identity_moves_next",
          "+fct_identity_edges", "--exclude", "path:tests")  # fmt: skip
Bond = tuple[object, ...]


def bonds(world: World) -> dict[str, tuple[frozenset[str], frozenset[Bond]]]:
    """Each customer's identifiers, and the used edges between them, by id."""
    owned = owners(world)
    with world.warehouse() as connection:
        edges = connection.execute(
            "select identifier_a_type, identifier_a_value, identifier_b_type, identifier_b_value,"
            " source_record_id, rule from marts.fct_identity_edges where status = 'used'"
        ).fetchall()
    values: dict[str, set[str]] = {}
    for value, customer in owned.items():
        if customer:
            values.setdefault(customer, set()).add(value)
    joined: dict[str, set[Bond]] = {customer: set() for customer in values}
    for edge in edges:
        for value in (edge[1], edge[3]):
            if customer := owned.get(value):
                joined[customer].add(edge)
    return {each: (frozenset(values[each]), frozenset(joined[each])) for each in values}


@pytest.mark.timeout(5400)
def test_ids_change_only_with_the_edges_of_a_person(tmp_path: Path, world: World) -> None:
    daily = World(tmp_path / "daily", AS_OF)
    end = datetime.fromisoformat(AS_OF)
    before: dict[str, tuple[frozenset[str], frozenset[Bond]]] = {}
    unchanged = changed = 0
    for day, _ in enumerate(scattered(world, daily, DAYS, seed=11), start=1):
        daily.set_as_of(str(end - timedelta(days=DAYS - day)))
        daily.build(*MODELS)
        commit(daily)
        now = bonds(daily)
        ids = {person: customer for customer, person in now.items()}
        for customer, person in before.items():
            if person in ids:
                unchanged += 1
                assert ids[person] == customer, f"day {day}: nothing changed but the id"
            else:
                changed += 1
        before = now
    print(f"{DAYS} days: {unchanged} people as the day before, {changed} with other edges")
    assert unchanged > 20 * DAYS
    assert changed > DAYS

    last = owners(daily)
    daily.build(*MODELS, "--full-refresh", "--threads", "1")
    assert owners(daily) == last, "a full rebuild on one thread"
    at_once = World(tmp_path / "at-once", AS_OF)
    for _ in scattered(world, at_once, 1, seed=12):
        at_once.build(*IDENTITY)
    assert people(at_once) == people(daily), "all of it at once, in another order"
