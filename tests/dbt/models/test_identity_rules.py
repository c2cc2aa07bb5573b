"""A hand-made rule works as long as it stands in the file: out of raw, out of force."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.dbt.models.test_increments import (
    IDENTITY,
    commit,
    owners,
    registry_of,
    rule_about_two,
    take_rules_back,
)
from tests.dbt.scenes import identify
from tests.dbt.world import World

pytestmark = pytest.mark.faults


def test_a_rule_ties_by_its_own_name_and_out_of_raw_ties_nobody(tmp_path: Path) -> None:
    """No record ties the two, so the merge is the rule's and never "evidence"."""
    world = World(tmp_path / "home", "2026-05-03 00:00:00")
    signed_up = {"source": "newsletter", "created_at": "2026-05-01 00:00:00"}
    world.add(
        "raw_contacts.contacts",
        [{"email": "one@a.example", **signed_up}, {"email": "two@a.example", **signed_up}],
    )
    world.build(*IDENTITY)
    commit(world)
    world.set_as_of("2026-05-04 00:00:00")
    rule_about_two(world, "must_link", "one person")
    world.build(*IDENTITY)
    moves = [(row["move_type"], row["reason"], row["rule"]) for row in registry_of(world)[2]]
    assert moves == [("merged", "must_link", "must_link")]
    commit(world)
    tied = owners(world)
    assert tied["one@a.example"] == tied["two@a.example"]

    world.set_as_of("2026-05-05 00:00:00")
    take_rules_back(world)
    world.build(*IDENTITY)
    apart = owners(world)
    assert apart["one@a.example"] != apart["two@a.example"]
    assert tied["one@a.example"] in apart.values(), "one of the two keeps the id"


def test_a_name_by_marriage_takes_nothing_from_her(tmp_path: Path) -> None:
    """Joined by hand, both names are hers: what either name alone tied stays tied."""
    world = World(tmp_path / "home", "2026-05-10 00:00:00")
    born, married = ({"firstName": "Ruth", "lastName": name} for name in ("Nash", "Smith"))
    world.add(
        "raw_web.events",
        [
            identify(1, "02 09:00", "her-laptop", None, email="one@a.example", **born),
            identify(2, "03 09:00", "her-laptop", None, email="ruth@work.example", **born),
            identify(3, "04 09:00", "her-phone", None, email="two@a.example", **married),
            identify(4, "05 09:00", "her-phone", None, email="ruth@smith.example", **married),
        ],
    )
    world.build(*IDENTITY)
    commit(world)
    nash, smith = ("one@a.example", "ruth@work.example"), ("two@a.example", "ruth@smith.example")
    for known in (nash, smith):
        assert len({owners(world)[value] for value in known}) == 1
    assert len({owners(world)[value] for value in (*nash, *smith)}) == 2
    rule_about_two(world, "must_link", "her married name")
    world.build(*IDENTITY)
    devices = ("her-laptop", "her-phone")
    assert len({owners(world).get(value) for value in (*nash, *smith, *devices)}) == 1


@pytest.mark.parametrize(
    ("seed", "change", "where", "sentence"),
    [
        ("identifier_limits", "max_count = 0",
         "identifier_type = 'device' and linked_type = 'login'",
         "the limit of login per device is 0; it must be 1 or more"),
        ("identifier_limits", "linked_type = 'passport'",
         "identifier_type = 'device' and linked_type = 'login'",
         "'device,passport' names no identifier type"),
        ("person_limits", "max_count = 0", "identifier_type = 'device' and window_days is null",
         "person_limits: the limit of device is 0; it must be 1 or more"),
        ("blocked_identifiers", "blocked_value = '^(test'", "blocked_value like '^(test|%'",
         r"'\^\(test' is no regular expression; mend it"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_one_sentence(
    tmp_path: Path, world: World, seed: str, change: str, where: str, sentence: str
) -> None:
    """A limit of zero, a type that is not there, a bad pattern: the models stop and say why."""
    shutil.copytree(world.home, tmp_path / "home")
    copy = World(tmp_path / "home", world.as_of)
    with duckdb.connect(str(copy.home / "warehouse.duckdb")) as con:
        ((schema,),) = con.execute(
            "select table_schema from information_schema.tables where table_name = ?", [seed]
        ).fetchall()
        con.execute(f"update {schema}.{seed} set {change} where {where}")
    with pytest.raises(AssertionError, match=sentence):
        copy.build(
            "--select",
            "int_identifiers",
            "int_refused_identifiers",
            "int_identity_components_over_limit",
        )
