"""Tables are compared by what stands in them, in any order; what cannot be read is noticed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import RegularsError
from orchestration.backup.facts import differing, facts_of
from orchestration.home.layout import Home


def fill(root: Path, *values: object) -> Home:
    home = Home(root)
    root.mkdir()
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute('create schema "raw a"; create table "raw a"."t-1" (v varchar)')
        connection.execute('create table "raw a".none (v varchar)')
        connection.executemany('insert into "raw a"."t-1" values (?)', [[v] for v in values])
    with closing(sqlite3.connect(home.ops)) as connection, connection:
        connection.execute('create table "t 1" (v)')
        connection.executemany('insert into "t 1" values (?)', [(v,) for v in values])
    return home


def test_the_same_rows_in_another_order_are_the_same_table(tmp_path: Path) -> None:
    one, other = (
        fill(tmp_path / "1", "a", "b", None, "b"),
        fill(tmp_path / "2", "b", "b", "a", None),
    )
    assert facts_of(one) == facts_of(other)
    assert {table: facts.rows for table, facts in facts_of(one).items()} == {
        "raw.duckdb/raw a.t-1": 4, "raw.duckdb/raw a.none": 0, "ops.sqlite/t 1": 4,
    }  # fmt: skip


@pytest.mark.parametrize("column", ["t", "the column", "v2", 'q"t'])
def test_every_column_counts_whatever_it_is_called(tmp_path: Path, column: str) -> None:
    quoted = '"' + column.replace('"', '""') + '"'
    seen = set()
    for number, values in enumerate(("('a', 1)", "('a', 2)", "('b', 1)", "('a', null)")):
        home = Home(tmp_path / str(number))
        home.root.mkdir()
        with duckdb.connect(str(home.raw)) as connection:
            connection.execute(f"create table t (v varchar, {quoted} integer)")
            connection.execute(f"insert into t values {values}")
        with closing(sqlite3.connect(home.ops)) as file, file:
            file.execute(f"create table t (v, {quoted})")
            file.execute(f"insert into t values {values}")
        seen |= {(table, facts.digest) for table, facts in facts_of(home).items()}
    assert len(seen) == 2 * 4


@pytest.mark.parametrize("values", [("a", "a"), ("a", "c"), ("a",), ("a", None), ("a", "b", "b")])
def test_another_value_or_row_is_another_table(tmp_path: Path, values: tuple[object, ...]) -> None:
    one, other = fill(tmp_path / "1", "a", "b"), fill(tmp_path / "2", *values)
    said = {table: asdict(facts) for table, facts in facts_of(one).items()}
    assert differing(said, facts_of(one), same_engine=True) == []
    changed = ["ops.sqlite/t 1", "raw.duckdb/raw a.t-1"]
    assert differing(said, facts_of(other), same_engine=True) == changed


def test_another_version_of_the_engine_compares_its_rows_alone(tmp_path: Path) -> None:
    one, other = fill(tmp_path / "1", "a", "b"), fill(tmp_path / "2", "a", "c")
    said = {table: asdict(facts) for table, facts in facts_of(one).items()}
    assert differing(said, facts_of(other), same_engine=False) == ["ops.sqlite/t 1"]
    fewer = fill(tmp_path / "3", "a")
    assert "raw.duckdb/raw a.t-1" in differing(said, facts_of(fewer), same_engine=False)


def test_a_table_more_or_less_is_named(tmp_path: Path) -> None:
    found = facts_of(fill(tmp_path / "1", "a"))
    said = {table: asdict(facts) for table, facts in found.items() if "ops" not in table}
    assert differing(said, found, same_engine=True) == ["ops.sqlite/t 1"]
    assert differing({**said, "gone": {"rows": 0, "digest": "0"}}, {}, same_engine=True) == [
        "gone", "raw.duckdb/raw a.none", "raw.duckdb/raw a.t-1",
    ]  # fmt: skip


@pytest.mark.faults
@pytest.mark.parametrize("store", ["raw", "ops"])
def test_a_page_that_cannot_be_read_is_a_sentence(tmp_path: Path, store: str) -> None:
    home = fill(tmp_path / "1", *(f"{number:0100}" for number in range(20_000)))
    path = getattr(home, store)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40_000] = b"\xff" * 40_000
    path.write_bytes(content)
    with pytest.raises(RegularsError, match=f"A table of {path.name} cannot be read"):
        facts_of(home)
