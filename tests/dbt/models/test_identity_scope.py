"""A run looks again only at whom a change touches; the result is a full rebuild's (B3, B9)."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.dbt import scenes
from tests.dbt.conftest import AS_OF
from tests.dbt.world import World

pytestmark = pytest.mark.faults  # the same history built again and again

RESOLUTION = (
    "--select",
    "+int_identity_last_solved",
    "+int_customer_identifiers",
    "--exclude",
    "path:tests",
)
LATER = "2026-06-02 00:00:00"

# What the kept models hold, without the integers, which differ between two warehouses.
KEPT = {
    "links": """
        select a.identifier_value, b.identifier_value, l.evidence_rank, l.rule, l.source_record_id,
            l.refusal_reason
        from intermediate.int_identity_edges_judged as l
        join intermediate.int_identifiers as a on l.key_a = a.identifier_key
        join intermediate.int_identifiers as b on l.key_b = b.identifier_key
        where l.rule <> 'must_link'
    """,
    "components": """
        select list_sort(list(i.identifier_type || i.identifier_value))
        from intermediate.int_identity_components as c
        join intermediate.int_identifiers as i on c.node = i.identifier_key
        group by c.component
    """,
    "core_facts": "select fact_type, fact, fact_count from intermediate.int_identity_core_facts",
    "words": "select word, is_first_name from intermediate.int_identity_address_words",
    "shared": """
        select identifier_value, share_reason
        from intermediate.int_shared_identifiers
        join intermediate.int_identifiers using (identifier_key)
    """,
    "solved": """
        select list_sort(list(identifier_type || identifier_value))
        from intermediate.int_identity_last_solved
        join intermediate.int_identifiers using (identifier_key)
        group by neighbourhood
    """,
}


def kept(world: World) -> dict[str, list[str]]:
    """Every kept table; a pair is told in the order of its texts."""
    with world.warehouse() as con:
        found = {name: con.execute(query).fetchall() for name, query in KEPT.items()}
    found["links"] = [(*sorted(row[:2]), *row[2:]) for row in found["links"]]
    return {name: sorted(map(repr, rows)) for name, rows in found.items()}


def scope(world: World) -> set[str]:
    """The values that the last run looked at."""
    with world.warehouse() as con:
        return {
            row[0]
            for row in con.execute(
                "select identifier_value from intermediate.int_identity_scope "
                "join intermediate.int_identifiers using (identifier_key)"
            ).fetchall()
        }


def tied(world: World, *values: str) -> bool:
    """Whether values are one person's."""
    with world.warehouse() as con:
        row = con.execute(
            "select count(distinct component) from intermediate.int_identity_components "
            "join intermediate.int_identifiers on node = identifier_key "
            "where identifier_value in ?",
            [list(values)],
        ).fetchone()
    return row == (1,)


def rebuilt(world: World, home: Path) -> dict[str, list[str]]:
    """What a new warehouse makes of the same raw rows."""
    other = World(home, world.as_of)
    shutil.copy(world.home / "raw.duckdb", home / "raw.duckdb")
    other.build(*RESOLUTION)
    return kept(other)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, world: World) -> World:
    """The shared world's home with its warehouse, to go on from."""
    copy = Path(tmp_path_factory.mktemp("home")) / "copy"
    shutil.copytree(world.home, copy)
    later = World(copy, AS_OF)
    later.load_number, later.lines = 50, 500_000
    return later


def test_only_what_a_change_touches_is_looked_at_again(home: World, tmp_path: Path) -> None:
    """A new order ties an address to a known one; two people of the shop are now called Quentin."""
    ann, other = "quentin.first@new.example", "second@new.example"
    home.new_load()
    home.set_as_of(LATER)
    home.add(
        "raw_orders.orders",
        [
            scenes.order(
                "9001", "30 08:00:00", email=ann, phone="+442079460101", customer={"id": 90011},
                **scenes.person("Quentin", "Quill"),
            ),
            scenes.order(
                "9002", "30 09:00:00", email=other, phone="+442079460101", customer={"id": 90011},
                **scenes.person("Quentin", "Quill"),
            ),
        ],
    )  # fmt: skip
    before = kept(home)
    home.build(*RESOLUTION)
    looked_at, found = scope(home), kept(home)
    with home.warehouse() as con:
        known = con.execute("select count(*) from intermediate.int_identity_last_solved").fetchone()
    assert {ann, other, "90011", "+442079460101"} <= looked_at
    assert known and len(looked_at) < known[0] / 4
    assert found == rebuilt(home, tmp_path / "anew")
    assert [name for name in found if found[name] != before[name]] == [
        *("links", "components", "core_facts", "solved")
    ]


def test_a_run_that_stopped_half_way_leaves_nothing_behind(home: World, tmp_path: Path) -> None:
    """Links were written, the run died, and the record behind them is gone again."""
    before = kept(home)
    tie = {"email": "gil@a.example", "created_at": "2026-05-20 00:00:00", "source": "newsletter"}
    home.new_load()
    home.add("raw_contacts.contacts", [tie | {"loyalty_id": "L-gone"}], file="gone")
    home.build("--select", "+int_identity_components", "--exclude", "path:tests")
    with duckdb.connect(str(home.home / "raw.duckdb")) as raw:
        raw.execute("delete from raw_contacts.contacts where _file = 'gone'")
    home.build(*RESOLUTION)
    assert kept(home) == before
    home.build(*RESOLUTION)
    with home.warehouse() as con:
        known = con.execute("select count(*) from intermediate.int_identity_last_solved").fetchone()
    assert known and len(scope(home)) < known[0] / 4, "whole again, so little to look at"


def test_a_sign_in_takes_an_address_from_whoever_only_typed_it(home: World, tmp_path: Path) -> None:
    """And gives it back, once that account is blocked: whom a refusal parts stays within reach."""
    typed = {"properties": {"order_id": "9601"}}
    home.new_load()
    home.add(
        "raw_orders.orders", [scenes.order("9601", "10 10:00:00", email="owner@typed.example")]
    )
    home.add(
        "raw_web.events",
        [
            scenes.identify(9600, "10 09:00", "typers-pc", "typer", email="typer@typed.example"),
            scenes.event(9601, "10 10:00", "typers-pc", "typer", "Order Completed", **typed),
        ],
    )
    home.build(*RESOLUTION)
    assert tied(home, "typer", "owner@typed.example")

    home.new_load()
    proof = scenes.identify(9602, "11 09:00", "owners-pc", "owner", email="owner@typed.example")
    home.add("raw_web.events", [proof], file="proof")
    home.build(*RESOLUTION)
    assert not tied(home, "typer", "owner@typed.example")
    assert tied(home, "owner", "owner@typed.example")
    assert kept(home) == rebuilt(home, tmp_path / "proved")

    home.new_load()
    rule = {"rule": "block", "type_a": "login", "value_a": "owner", "reason": "a staff account"}
    home.add("raw_identity_rules.identity_rules", [rule])
    home.build(*RESOLUTION)
    assert tied(home, "typer", "owner@typed.example")
    assert kept(home) == rebuilt(home, tmp_path / "blocked")


def test_what_a_later_record_says_of_a_value_reaches_all_of_its_past(
    home: World, tmp_path: Path
) -> None:
    """A login is given up for another; a role address and an account turn out to be of several."""

    def named(number: int, login: str, email: str, first: str, last: str) -> dict[str, object]:
        traits = {"email": email, "firstName": first, "lastName": last}
        return scenes.identify(number, "12 09:00", f"scope-{number}", login, **traits)

    first = {"email": "hello@scope.example", "customer": {"id": 97001}}
    second = {"email": "hello@scope.example", "customer": {"id": 97002}}
    home.new_load()
    home.add(
        "raw_orders.orders",
        [scenes.order("9701", "12 10:00:00", **first, **scenes.person("Kim", "Vale"))],
    )
    home.add(
        "raw_web.events",
        [
            named(9700, "bearer", "una@scope.example", "Una", "Frost"),
            named(9701, "given-up", "then@scope.example", "Ros", "Lake"),
        ],
    )
    home.build(*RESOLUTION)
    assert tied(home, "97001", "hello@scope.example")
    assert tied(home, "bearer", "una@scope.example")

    home.new_load()
    home.add(
        "raw_orders.orders",
        [scenes.order("9702", "13 10:00:00", **second, **scenes.person("Bea", "Nunn"))],
    )
    alias = scenes.event(9703, "13 09:00", None, "taken-up", type="alias", previous_id="given-up")
    home.add(
        "raw_web.events", [named(9702, "bearer", "otto@scope.example", "Otto", "Klein"), alias]
    )
    home.build(*RESOLUTION)
    assert not tied(home, "97001", "97002")
    assert not tied(home, "una@scope.example", "otto@scope.example")
    assert tied(home, "taken-up", "then@scope.example")
    assert kept(home) == rebuilt(home, tmp_path / "anew")


def test_a_kept_table_cannot_be_refreshed_by_itself(home: World) -> None:
    """It would lose everybody who is not in scope."""
    before = kept(home)
    with pytest.raises(AssertionError, match="refresh it with what it is made from"):
        home.build("--full-refresh", "--select", "int_identity_components")
    assert kept(home) == before


def test_another_version_of_the_rules_looks_at_everybody(home: World) -> None:
    """What older code decided is not mixed with what newer code decides."""
    before = kept(home)
    home.export("run_context", [{"run_id": "run", "as_of": home.as_of, "code_version": "another"}])
    home.build(*RESOLUTION)
    with home.warehouse() as con:
        known = con.execute("select count(*) from intermediate.int_identity_last_solved").fetchone()
    assert known and len(scope(home)) == known[0]
    assert kept(home) == before
