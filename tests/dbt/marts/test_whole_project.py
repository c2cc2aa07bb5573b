"""The whole project on nothing at all, and the marts twice on the same people.

Belongs here: that marts fit the tables in front of them, survive an empty shop, and come out equal.
Does not belong here: what the numbers should be.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.home.layout import Home
from orchestration.published.text_classes import IDENTIFYING, read_classes
from orchestration.quality.broken_rules import broken_rules
from tests.dbt.marts.int_schema import INTERMEDIATE, STAGING
from tests.dbt.marts.people import AS_OF, add_everybody
from tests.dbt.marts.shop import PROJECT, Shop
from tests.dbt.warm import run_dbt
from tests.dbt.world import World

PUBLISHED = ("marts", "segments", "activity", "ops")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("empty")
    world = World(home, "2026-03-31 12:00:00")
    run = {"run_id": "run", "as_of": world.as_of, "code_version": "test", "status": "succeeded"}
    counts = dict.fromkeys(
        ("rows_received", "rows_loaded", "rows_quarantined", "rows_duplicate"), 0
    )
    world.export("runs", [run | counts])
    world.build(artifacts=True)
    return home


def test_an_empty_shop_has_every_table_and_no_rows(empty: Path) -> None:
    with duckdb.connect(str(empty / "warehouse.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema in ('marts', 'segments', 'activity')"
        ).fetchall()
        filled = {
            name
            for schema, name in tables
            if connection.execute(f'select count(*) from "{schema}"."{name}"').fetchone() != (0,)
        }
    files = [*(PROJECT / "models/segments").glob("seg_*.sql")]
    assert {name for schema, name in tables if schema == "segments"} == {
        file.stem for file in files
    }
    assert filled == {
        "dim_contact_rules",
        "dim_segments",
        "rpt_segment_funnel",
        "rpt_segment_reach",
        "rpt_segment_value",
        "shop_rhythm",
    }


def test_every_unit_test_of_the_project_ran_and_held(empty: Path) -> None:
    """A shop's runs leave them out, so here is where they run."""
    target = empty / "dbt" / "target"
    written = json.loads((target / "manifest.json").read_text("utf-8"))["unit_tests"]
    results = json.loads((target / "run_results.json").read_text("utf-8"))["results"]
    ran = {each["unique_id"]: each["status"] for each in results if each["unique_id"] in written}
    assert len(written) >= 5
    assert ran == dict.fromkeys(written, "pass")


def test_what_breaks_a_rule_is_named_by_table_and_rule(empty: Path, tmp_path: Path) -> None:
    """By number and never by value; a test is asked of a table as it stands."""
    home = Path(shutil.copytree(empty, tmp_path / "home"))
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(
            "insert into segments.seg_vip values ('x', null, '{}'), ('x', 'Why.', '{}')"
        )
        connection.execute(
            "insert into marts.dim_contact_rules select * from marts.dim_contact_rules"
        )
    tests = "assert_members_are_unique_and_known rows_obey_dim_contact_rules*"
    done = run_dbt(home, "--no-use-colors", "--write-json", "test", "--select", *tests.split())
    assert done.returncode == 1
    rules = (
        "seg_vip: customer_id is not in dim_customers (2)",
        "seg_vip: customer_id is not unique (1)",
        "seg_vip: reason is empty (1)",
        "dim_contact_rules: shop is not unique (1)",
    )
    sentence = broken_rules(Home(home))
    assert {rule for rule in rules if rule in sentence} == set(rules)


def test_every_column_that_is_published_has_a_description(empty: Path) -> None:
    with duckdb.connect(str(empty / "warehouse.duckdb"), read_only=True) as connection:
        columns = connection.execute(
            "select schema_name || '.' || table_name || '.' || column_name, comment "
            "from duckdb_columns() where list_contains($schemas, schema_name)",
            {"schemas": list(PUBLISHED)},
        ).fetchall()
    assert columns
    assert sorted(name for name, comment in columns if not (comment or "").strip()) == []


def test_every_text_and_identifying_number_that_is_published_has_a_class(empty: Path) -> None:
    classes = read_classes()
    with duckdb.connect(str(empty / "warehouse.duckdb"), read_only=True) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns()"
            " where list_contains($schemas, schema_name)",
            {"schemas": list(PUBLISHED)},
        ).fetchall()
    texts = {
        (table, column)
        for table, column, kind in columns
        if "VARCHAR" in kind or IDENTIFYING.search(column)
    }
    dates = {(table, column) for table, column, kind in columns if kind == "DATE"}
    classed = {(table, column) for table, own in classes.items() for column in own}
    tables = {table for table, *_ in columns}
    assert sorted(texts - classed) == []
    idle = {place for place in classed - texts if place[0] in tables}
    assert idle == {place for place in dates if place[1] == "birthday"}


def test_handmade_people_stand_in_tables_of_the_real_shape(empty: Path) -> None:
    """The columns that tests lay down are columns that the real models have, of the same type."""
    with duckdb.connect(str(empty / "warehouse.duckdb"), read_only=True) as connection:
        # What staging is a view of
        connection.execute(f"attach '{empty / 'raw.duckdb'}' as raw (read_only)")
        shapes = {f"intermediate.{table}": columns for table, columns in INTERMEDIATE.items()}
        shapes |= {f"staging.{table}": columns for table, columns in STAGING.items()}
        for table, columns in shapes.items():
            real = {row[0]: row[1] for row in connection.execute(f"describe {table}").fetchall()}
            with duckdb.connect() as scratch:
                scratch.execute(f"create table t ({columns})")
                ours = {row[0]: row[1] for row in scratch.execute("describe t").fetchall()}
            missing = set(ours) - set(real)
            assert not missing, f"{table} has no {sorted(missing)}"
            different = {
                name: (ours[name], real[name])
                for name in ours
                if _family(ours[name]) != _family(real[name])
            }
            assert not different, f"{table}: {different}"


def _family(written: str) -> str:
    return "INTEGER" if written in {"INTEGER", "BIGINT", "HUGEINT", "SMALLINT"} else written


def test_every_segment_file_is_named_for_a_bare_dbt_build() -> None:
    files = {path.stem[4:] for path in (PROJECT / "models" / "segments").glob("seg_*.sql")}
    macro = (PROJECT / "macros" / "segments.sql").read_text("utf-8")
    listed = re.search(r"none\) or \[(.*?)\]", macro, re.DOTALL)
    assert listed
    assert set(re.findall(r"'(\w+)'", listed.group(1))) == files


BUILDS = 5 if os.environ.get("REGULARS_SOAK") else 2  # RELIABILITY B11 asks for five


@pytest.mark.faults  # builds everything, twice
@pytest.mark.timeout(3600)
def test_the_same_people_and_moment_give_the_same_tables(tmp_path: Path) -> None:
    """RELIABILITY B11: one thread or two, rows in another order, another home: equal tables."""
    found = []
    for number in range(BUILDS):
        shop = Shop(tmp_path / str(number), AS_OF)
        add_everybody(shop)
        if number:
            for rows in shop.rows.values():
                random.Random(number).shuffle(rows)
        shop.build(tested=False, threads=1 if number % 2 else 2)
        found.append(_hashes(shop))
    print(f"{BUILDS} builds, {len(found[0])} published tables each")
    assert len(found[0]) > 40
    assert all(each == found[0] for each in found)


def _hashes(shop: Shop) -> dict[str, object]:
    names = shop.query(
        "select table_schema || '.' || table_name as name from information_schema.tables "
        f"where table_schema in {PUBLISHED} order by name"
    )
    hashes: dict[str, object] = {}
    for row in names:
        table = row["name"]
        found = shop.query(f"select count(*) as n, sum(hash(t)) as h from {table} as t")
        hashes[table] = (found[0]["n"], found[0]["h"])
    return hashes
