"""The tools of the identity bench: equal means equal, and every way finds the same people."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import networkx as nx
import pytest

from ingestion.config import REPOSITORY
from tests.benchmarks import identity_steps as steps
from tests.benchmarks.identity import NotEqualError, assert_same
from tests.benchmarks.identity_edges import write_edges
from tests.benchmarks.identity_page import END, START, Graph, exponent, identity_page
from tests.benchmarks.measure import Cost


def _tables(one: str, other: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name, rows in (("one", one), ("other", other)):
        connection.execute(
            f"create table {name} as select * from (values {rows}) as t(identifier, component)"
        )
    return connection


def test_partitions_are_equal_whatever_their_components_are_called() -> None:
    assert_same(
        _tables("('a', 1), ('b', 1), ('c', 2)", "('c', 'x'), ('b', 'y'), ('a', 'y')"),
        "one",
        "other",
    )


@pytest.mark.parametrize(
    "other",
    [
        "('a', 1), ('b', 1), ('c', 1)",
        "('a', 1), ('b', 2), ('c', 3)",
        "('a', 1), ('b', 1)",
        "('a', 1), ('b', 1), ('c', 2), ('c', 2)",
        "('a', 1), ('b', 1), ('d', 2)",
    ],
    ids=["merged", "split", "missing", "twice", "another"],
)
def test_any_other_partition_fails_the_bench(other: str) -> None:
    with pytest.raises(NotEqualError):
        assert_same(_tables("('a', 1), ('b', 1), ('c', 2)", other), "one", "other")


def test_types_are_trusted_as_the_models_trust_them() -> None:
    macro = (REPOSITORY / "dbt_project/macros/identity.sql").read_text("utf-8")
    listed = macro.partition("macro identifier_types()")[2].partition("endmacro")[0]
    assert tuple(re.findall(r"'(\w+)'", listed)) == steps.TRUST


STEPS = ("cold", "rebuild", "keep", "warm", "reread", "prepare", "look_up", "day")


@pytest.mark.faults
def test_every_step_finds_what_networkx_finds(tmp_path: Path) -> None:
    write_edges(300, tmp_path)
    steps.compile_models(tmp_path)
    for step in STEPS:
        steps.STEPS[step](tmp_path)
    with duckdb.connect() as connection:
        pairs = connection.execute(
            f"select identifier_l, identifier_r, is_day from '{tmp_path / steps.EDGES}'"
        ).fetchall()
        found = nx.connected_components(nx.Graph([(a, b) for a, b, _ in pairs]))
        rows = [(text, number) for number, texts in enumerate(found) for text in texts]
        connection.execute("create table expected (identifier varchar, component bigint)")
        connection.executemany("insert into expected values (?, ?)", rows)
        for name in ("cold", "rebuild", "reread"):
            connection.execute(f"create view {name} as from '{tmp_path}/{name}.parquet'")
        warm = steps.named(connection, tmp_path / "rebuild.duckdb", f"'{tmp_path}/warm.parquet'")
        connection.execute(f"create view warm as {warm}")
        day = steps.named(connection, tmp_path / f"{steps.STATE}.duckdb")
        connection.execute(f"create view day as {day}")
        for name in ("cold", "rebuild", "reread", "warm", "day"):
            assert_same(connection, "expected", name)


def test_the_day_is_the_last_hundredth_of_all_pairs(tmp_path: Path) -> None:
    write_edges(300, tmp_path)
    with duckdb.connect() as connection:
        edges = connection.execute(
            f"select count(*), count(*) filter (is_day) from '{tmp_path / steps.EDGES}'"
        ).fetchone()
        day = connection.execute(
            f"select count(*), bool_and(is_day) from '{tmp_path / steps.DAY_EVIDENCE}'"
        ).fetchone()
    assert edges and day
    assert day == (edges[1], True)
    assert 0 < edges[1] <= edges[0] / 100


def test_growth_in_proportion_has_the_exponent_one() -> None:
    graphs = [
        Graph(people, costs={"rebuild": Cost(people / 1000, 1, 1)}) for people in (1000, 5000)
    ]
    assert exponent(graphs) == pytest.approx(1)
    assert exponent(graphs[:1]) is None


def test_what_starting_costs_is_shown_and_left_out_of_the_ratios() -> None:
    graph = Graph(
        1000,
        costs={"cold": Cost(4, 2, 30), "splink": Cost(12, 6, 100)},
        start={"cold": Cost(1, 1, 1), "splink": Cost(3, 1, 1)},
    )
    page = identity_page("", "a machine", [graph])
    assert "| Splink's clustering of texts | 12.0 | 3.0 | 6.0 | 100 |" in page
    assert "| cold / Splink, CPU | 0.33 | ≤ 0.33 |" in page
    assert "| cold / Splink, memory | 0.30 | ≤ 0.50 |" in page
    assert graph.work("cold") == 3


def test_the_day_is_told_with_and_without_its_texts() -> None:
    costs = {"rebuild": Cost(20, 9, 9), "look_up": Cost(3, 1, 1), "day": Cost(1, 1, 1)}
    page = identity_page("", "a machine", [Graph(1000, costs=costs)])
    assert "| day / rebuild, CPU | 0.05 | ≤ 0.05 |" in page
    assert "| day and its texts / rebuild, CPU | 0.20 | ≤ 0.05 |" in page
    del costs["look_up"]
    assert "its texts /" not in identity_page("", "a machine", [Graph(1000, costs=costs)])


def test_the_page_has_one_part_and_keeps_the_rest() -> None:
    graph = Graph(1000, costs={"cold": Cost(1, 2, 3)})
    first = identity_page("# Performance\n", "a machine", [graph])
    again = identity_page(first + "What it means.\n", "a machine", [graph])
    assert again == first + "What it means.\n"
    assert (again.count(START), again.count(END)) == (1, 1)
    assert "| Splink's clustering of texts | not measured | | | |" in again
