"""A hand-made rule works as long as it stands in the file: out of raw, out of force."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.dbt.models.test_increments import IDENTITY, commit, owners
from tests.dbt.world import World


def test_a_rule_that_left_raw_ties_nobody(tmp_path: Path) -> None:
    world = World(tmp_path / "home", "2026-05-03 00:00:00")
    signed_up = {"source": "newsletter", "created_at": "2026-05-01 00:00:00"}
    world.add(
        "raw_contacts.contacts",
        [{"email": "one@a.example", **signed_up}, {"email": "two@a.example", **signed_up}],
    )
    pair = {"type_a": "email", "value_a": "one@a.example", "type_b": "email"}
    world.add(
        "raw_identity_rules.identity_rules",
        [{"rule": "must_link", **pair, "value_b": "two@a.example", "reason": "one person"}],
    )
    world.build(*IDENTITY)
    commit(world)
    tied = owners(world)
    assert tied["one@a.example"] == tied["two@a.example"]

    world.set_as_of("2026-05-04 00:00:00")
    with duckdb.connect(str(world.home / "raw.duckdb")) as raw:
        raw.execute("delete from raw_identity_rules.identity_rules")
    world.build(*IDENTITY)
    apart = owners(world)
    assert apart["one@a.example"] != apart["two@a.example"]
    assert tied["one@a.example"] in apart.values(), "one of the two keeps the id"
