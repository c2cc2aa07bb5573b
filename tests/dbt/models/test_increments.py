"""What was built in steps equals what is built at once, whatever the steps were (B3, B9, B11)."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.dbt import scenes
from tests.dbt.conftest import AS_OF, UP_TO_INTERMEDIATE
from tests.dbt.world import RAW, World

pytestmark = pytest.mark.faults  # the same history built again and again

Snapshot = dict[str, list[tuple[object, ...]]]

# Integers of the identifier dictionary may differ between two warehouses, and so may checksums that
# know by which load an event came; nothing else may.
COMPARED = {
    "int_orders_resolved": "*",
    "int_order_lines_resolved": "*",
    "int_products_unioned": "*",
    "int_web_sessions_resolved": "* exclude (event_checksum)",
    "int_web_interactions": "*",
    "int_interactions_web": "* exclude (visit_version)",
    "int_interactions_messages": "*",
    "int_interactions_facts": "*",
    "int_contacts_resolved": "*",
    "fct_identity_edges": "*",
    "int_customers": "* exclude (is_newly_born)",
    "int_customer_identifiers": "* exclude (identifier_key)",
    "int_household_members": "* exclude (group_number)",
    "int_identity_over_merging": "*",
    "int_identity_under_merging": "*",
}


def schema_of(table: str) -> str:
    """Where a compared table stands."""
    return "intermediate" if table.startswith("int_") else "marts"


def snapshot(world: World) -> Snapshot:
    """Every compared table, in a fixed order."""
    with world.warehouse() as con:
        return {
            table: con.execute(
                f"select {columns} from {schema_of(table)}.{table} order by all"
            ).fetchall()
            for table, columns in COMPARED.items()
        }


def assert_equal(found: Snapshot, expected: Snapshot) -> None:
    """Name the table and the rows that differ."""
    for table, rows in expected.items():
        extra = [row for row in found[table] if row not in rows]
        missing = [row for row in rows if row not in found[table]]
        assert (extra, missing) == ([], []), table
        assert len(found[table]) == len(rows), table


def scattered(source: World, target: World, batches: int, seed: int) -> Iterator[World]:
    """Copy the raw rows of `source` into `target` in shuffled batches, one load each."""
    pieces: list[dict[str, list[str]]] = [{} for _ in range(batches)]
    with duckdb.connect(str(source.home / "raw.duckdb"), read_only=True) as con:
        for table in RAW:
            ids = [row[0] for row in con.execute(f"select _row_id from {table}").fetchall()]
            random.Random(seed).shuffle(ids)
            for number, row_id in enumerate(ids):
                pieces[number % batches].setdefault(table, []).append(row_id)
    for number, piece in enumerate(pieces):
        with duckdb.connect(str(target.home / "raw.duckdb")) as con:
            con.execute(f"attach '{source.home / 'raw.duckdb'}' as original (read_only)")
            for table, ids in piece.items():
                con.execute(
                    f"insert into {table} select * replace ('{number}' as _dlt_load_id) "
                    f"from original.{table} where _row_id in (select unnest(?))",
                    [ids],
                )
        yield target


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, world: World) -> World:
    """The same raw rows as the shared world, in a home that these tests may change."""
    home = Path(tmp_path_factory.mktemp("original"))
    shutil.copy(world.home / "raw.duckdb", home / "raw.duckdb")
    return World(home, AS_OF)


def test_shuffled_late_loads_with_as_of_going_both_ways_equal_one_load(
    tmp_path: Path, world: World
) -> None:
    stepwise = World(tmp_path / "stepwise", AS_OF)
    dates = ["2026-05-12 00:00:00", "2026-06-10 00:00:00", AS_OF]
    for as_of, _ in zip(dates, scattered(world, stepwise, len(dates), seed=7), strict=True):
        stepwise.set_as_of(as_of)
        stepwise.build(*UP_TO_INTERMEDIATE)
    assert_equal(snapshot(stepwise), snapshot(world))


def test_a_rebuild_on_one_thread_equals_the_build(original: World, world: World) -> None:
    original.build(*UP_TO_INTERMEDIATE, "--threads", "1", "--full-refresh")
    assert_equal(snapshot(original), snapshot(world))


def registry_of(world: World) -> list[list[dict[str, object]]]:
    """What the publisher would commit: registry, aliases and moves."""
    with world.warehouse() as con:
        tables = []
        for table, columns in (
            (
                "int_identity_registry_next",
                "identifier_type, identifier_value, customer_id, registered_at",
            ),
            ("int_customer_aliases_next", "alias_id, customer_id, merged_at"),
            ("int_identity_moves_next", "*"),
        ):
            found = con.execute(f"select {columns} from intermediate.{table}")
            names = [column[0] for column in found.description]
            tables.append([dict(zip(names, row, strict=True)) for row in found.fetchall()])
    return tables


def commit(world: World) -> None:
    """What the publisher does after the swap."""
    registry, aliases, moves = registry_of(world)
    world.export("identity_registry", registry)
    world.export("customer_aliases", aliases)
    world.export("identity_moves", moves)


def owners(world: World) -> dict[str, str | None]:
    """Customer by identifier value."""
    with world.warehouse() as con:
        return dict(
            con.execute(
                "select identifier_value, customer_id from intermediate.int_customer_identifiers"
            ).fetchall()
        )


IDENTITY = (
    "--select",
    "+int_identity_registry_next",
    "+int_identity_moves_next",
    "--exclude",
    "path:models/marts",
    "path:tests",
)


def test_ids_survive_a_merge_and_a_split(tmp_path: Path) -> None:
    """On a merge the older id survives; on a split it stays with the better evidence."""
    world = World(tmp_path / "home", "2026-05-03 00:00:00")
    world.add(
        "raw_contacts.contacts",
        [{"email": "old@a.example", "source": "newsletter", "created_at": "2026-05-01 00:00:00"}],
    )
    world.add(
        "raw_orders.orders",
        [scenes.order("1", "02 08:00:00", email="young@a.example", payment_fingerprint="c1")],
    )
    world.build(*IDENTITY)
    commit(world)
    before = owners(world)
    assert before["old@a.example"] != before["young@a.example"]

    world.set_as_of("2026-05-05 00:00:00")
    world.new_load()
    world.add(
        "raw_web.events",
        [
            scenes.identify(1, "04 08:00", "device-1", "login-1", email="old@a.example"),
            scenes.identify(2, "04 09:00", "device-1", "login-1", email="young@a.example"),
        ],
    )
    world.build(*IDENTITY)
    commit(world)
    merged = owners(world)
    assert merged["old@a.example"] == merged["young@a.example"] == before["old@a.example"]
    assert registry_of(world)[1][0]["alias_id"] == before["young@a.example"]

    # The device turns out to be shared, and the login a third person's: the tie was the login
    world.set_as_of("2026-05-07 00:00:00")
    world.new_load()
    world.add(
        "raw_identity_rules.identity_rules",
        [
            {"rule": "block", "type_a": "login", "value_a": "login-1", "reason": "a clerk"},
            {"rule": "block", "type_a": "device", "value_a": "device-1", "reason": "the till"},
        ],
    )
    world.build(*IDENTITY)
    split = owners(world)
    assert split["young@a.example"] == before["old@a.example"], "paid by card, so better evidence"
    assert split["old@a.example"] not in (None, split["young@a.example"])
    assert len({owner for owner in split.values() if owner}) == 2
    moves = {
        (row["identifier_value"], row["move_type"], row["reason"], str(row["effective_at"])[:10])
        for row in registry_of(world)[2]
    }
    assert moves == {
        ("young@a.example", "merged", "evidence", "2026-05-04"),
        ("c1", "merged", "evidence", "2026-05-04"),
        ("login-1", "refused", "identity_rule", "2026-05-07"),
        ("device-1", "refused", "identity_rule", "2026-05-07"),
        ("old@a.example", "split", "identity_rule", "2026-05-07"),
    }


def people(world: World) -> set[frozenset[str]]:
    """Who is who without ids: the identifiers of each person."""
    groups: dict[str, set[str]] = {}
    for value, owner in owners(world).items():
        groups.setdefault(owner or "", set()).add(value)
    return {frozenset(values) for values in groups.values()}


def rule_about_two(world: World, rule: str, reason: str) -> None:
    """A line of the rules file about one@a.example and two@a.example."""
    pair = {"type_a": "email", "value_a": "one@a.example", "type_b": "email"}
    world.add(
        "raw_identity_rules.identity_rules",
        [{"rule": rule, **pair, "value_b": "two@a.example", "reason": reason}],
    )


def take_rules_back(world: World) -> None:
    """The rules file is empty again."""
    with duckdb.connect(str(world.home / "raw.duckdb")) as raw:
        raw.execute("delete from raw_identity_rules.identity_rules")


def test_split_and_merge_again_gives_back_equal_tables(tmp_path: Path) -> None:
    """A cannot-link line splits two people; without the line they are one again, ids and all."""
    world = World(tmp_path / "home", "2026-05-03 00:00:00")
    joined = {"source": "newsletter", "created_at": "2026-05-01 00:00:00", "loyalty_id": "L1"}
    world.add("raw_contacts.contacts", [joined | {"email": "one@a.example"}])
    world.add(
        "raw_contacts.contacts",
        [joined | {"email": "two@a.example", "created_at": "2026-05-02 00:00:00"}],
    )
    world.build(*IDENTITY)
    commit(world)
    before = owners(world)
    assert len(set(before.values())) == 1

    world.set_as_of("2026-05-04 00:00:00")
    rule_about_two(world, "cannot_link", "two sisters")
    world.build(*IDENTITY)
    commit(world)
    apart = owners(world)
    assert apart["one@a.example"] == apart["L1"] == before["one@a.example"]
    assert apart["two@a.example"] != apart["one@a.example"]

    world.set_as_of("2026-05-05 00:00:00")
    take_rules_back(world)
    world.build(*IDENTITY)
    commit(world)
    assert owners(world) == before
    told = [
        (row["identifier_value"], row["move_type"], row["reason"]) for row in registry_of(world)[2]
    ]
    assert sorted(told) == [
        ("two@a.example", "merged", "evidence"),
        ("two@a.example", "split", "cannot_link"),
    ]
    # A second run as of the same moment tells the same story
    world.build(*IDENTITY)
    assert len(registry_of(world)[2]) == 2


def test_rules_may_change_between_two_runs_as_of_one_moment(tmp_path: Path) -> None:
    """Only what the later run knew is history; a rule taken back at once leaves no trace."""
    marts = ("+customer_identifier_history", "+fct_identity_changes")
    history = ("--select", *marts, "--exclude", "path:tests")
    world = World(tmp_path / "home", "2026-05-03 00:00:00")
    said = {"source": "newsletter", "created_at": "2026-05-01 00:00:00", "loyalty_id": "L1"}
    world.add("raw_contacts.contacts", [said | {"email": "one@a.example"}])
    world.add("raw_contacts.contacts", [said | {"email": "two@a.example", "source": "import"}])
    world.build(*IDENTITY)
    commit(world)
    before = owners(world)
    rule_about_two(world, "cannot_link", "two sisters")
    world.build(*history)
    commit(world)
    with world.warehouse() as con:
        stays = dict(
            con.execute(
                "select identifier_value, customer_id from marts.customer_identifier_history"
            ).fetchall()
        )
        since = con.execute(
            "select distinct effective_from::date::varchar from marts.customer_identifier_history"
        ).fetchall()
    assert since == [("2026-05-01",)], "no gap between the first sighting and the split"
    assert stays == owners(world)
    assert len(set(stays.values())) == 2
    take_rules_back(world)
    world.build(*history)
    assert owners(world) == before
    assert registry_of(world)[2] == []


def test_a_lost_registry_is_rebuilt_from_raw(tmp_path: Path, world: World) -> None:
    """Without the operational store's memory the same people come out of raw alone."""
    forgetful = World(tmp_path / "forgetful", AS_OF)
    shutil.copy(world.home / "raw.duckdb", forgetful.home / "raw.duckdb")
    forgetful.build(*IDENTITY)
    commit(forgetful)
    expected = people(forgetful)
    forgetful.export("identity_registry", [])
    forgetful.export("customer_aliases", [])
    forgetful.build(*IDENTITY)
    assert people(forgetful) == expected == people(world)
