"""What each run says of the people of earlier runs: carried over, new, merged, split, gone.

Belongs here: the counts over several runs of one small shop. Does not belong here: who is who.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.dbt import scenes
from tests.dbt.models.test_increments import commit
from tests.dbt.world import World

pytestmark = pytest.mark.faults  # a history built day by day

MODELS = (
    "--select",
    "+int_identity_metrics",
    "+int_identity_registry_next",
    "+int_identity_moves_next",
    "--exclude",
    "path:tests",
)
FLOWS = ("carried_over", "born", "merged", "split", "gone")


def flows(world: World, *options: str) -> tuple[int, ...]:
    """One run, its identity committed, and what it says of people in the order of FLOWS."""
    world.build(*MODELS, *options)
    with world.warehouse() as con:
        counts = dict(
            con.execute(
                "select metric, sum(value)::bigint from intermediate.int_identity_metrics"
                " group by metric"
            ).fetchall()
        )
    commit(world)
    return tuple(counts.get(metric, 0) for metric in FLOWS)


def test_every_person_of_an_earlier_run_is_accounted_for(tmp_path: Path) -> None:
    world = World(tmp_path / "home", "2026-05-03 00:00:00")
    for name in ("old", "young", "leaving"):
        contact = {"source": "newsletter", "created_at": "2026-05-01 00:00:00"}
        world.add("raw_contacts.contacts", [contact | {"email": f"{name}@a.example"}])
    assert flows(world) == (0, 3, 0, 0, 0)
    world.set_as_of("2026-05-04 00:00:00")
    assert flows(world) == (3, 0, 0, 0, 0), "nothing happened"

    world.set_as_of("2026-05-05 00:00:00")
    world.new_load()
    world.add(
        "raw_web.events",
        [
            scenes.identify(1, "04 08:00", "device-1", "login-1", email="old@a.example"),
            scenes.identify(2, "04 09:00", "device-1", "login-1", email="young@a.example"),
            scenes.identify(3, "04 10:00", "device-2", "login-2", email="new@a.example"),
        ],
    )
    assert flows(world) == (2, 1, 1, 0, 0), "three people of before are two, and one is new"

    world.set_as_of("2026-05-06 00:00:00")
    world.new_load()
    rule = {"rule": "block", "type_a": "login", "value_a": "login-1", "reason": "a clerk"}
    till = {"rule": "block", "type_a": "device", "value_a": "device-1", "reason": "the till"}
    world.add("raw_identity_rules.identity_rules", [rule, till])
    kept, born, merged, split, gone = flows(world)
    assert (kept + born, merged, split, gone) == (4, 0, 1, 0), "the two are apart again"

    world.set_as_of("2026-05-07 00:00:00")
    with duckdb.connect(str(world.home / "raw.duckdb")) as raw:
        raw.execute("delete from raw_contacts.contacts where email = 'leaving@a.example'")
    assert flows(world, "--full-refresh") == (3, 0, 0, 0, 1), "no row is left of one"
