"""Connected components against networkx: random graphs, long chains, stars and rings (S54)."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb
import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.functions.registration import register_components
from tests.dbt.world import World
from tests.spark.forms import for_duckdb, sql_of

Edges = list[tuple[int, int]]


IDENTITY = "dbt/target/compiled/regulars/models/intermediate/identity/conflicts"
EDGES = "warehouse.intermediate.int_identity_edges_checked"


@pytest.fixture(scope="module", params=["compiled", "spark"])
def solve(request: pytest.FixtureRequest, world: World) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database where the model finds edges that a test wrote: as compiled, or in Spark's form."""
    sql = (world.home / IDENTITY / "int_identity_components_before_cuts.sql").read_text("utf-8")
    if request.param == "spark":
        call = f"{{{{ connected_components('{EDGES}') }}}}"
        sql = for_duckdb("spark", sql_of("spark", call))
    with duckdb.connect() as con:
        register_components(con)
        con.execute("attach ':memory:' as warehouse")
        con.execute("create schema warehouse.intermediate")
        con.execute(f"create table {EDGES} (key_a bigint, key_b bigint, refusal_reason varchar)")
        con.execute(f"create view solution as {sql}")
        yield con


def partition(con: duckdb.DuckDBPyConnection, edges: Edges) -> set[frozenset[int]]:
    """The components that SQL finds."""
    con.execute(f"delete from {EDGES}")
    con.execute(
        f"insert into {EDGES} select unnest($a::bigint[]), unnest($b::bigint[]), null",
        {"a": [min(edge) for edge in edges], "b": [max(edge) for edge in edges]},
    )
    found = con.execute("select component, list(node) from solution group by component").fetchall()
    assert all(component == min(nodes) for component, nodes in found)
    return {frozenset(nodes) for _, nodes in found}


def expected(edges: Edges) -> set[frozenset[int]]:
    """The components that networkx finds."""
    return {frozenset(nodes) for nodes in nx.connected_components(nx.Graph(edges))}


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(5))
def test_big_random_graphs(solve: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = random.Random(seed)
    edges = [tuple(rng.sample(range(400), 2)) for _ in range(rng.choice([100, 200, 400, 800]))]
    assert partition(solve, edges) == expected(edges)


NODES = st.integers(0, 30)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edges=st.lists(st.tuples(NODES, NODES).filter(lambda pair: pair[0] != pair[1]), max_size=60))
def test_random_graphs(solve: duckdb.DuckDBPyConnection, edges: Edges) -> None:
    assert partition(solve, edges) == expected(edges)


@pytest.mark.parametrize(
    "edges",
    [
        [(i, i + 1) for i in range(300)],
        [(i, (i * 7919 + 1) % 307) for i in range(307) if i != (i * 7919 + 1) % 307],
        [(0, i) for i in range(1, 500)],
        [(i, (i + 1) % 200) for i in range(200)],
        [(2 * i, 1000 - i) for i in range(150)],
    ],
    ids=["chain", "scrambled chain", "star", "ring", "pairs"],
)
def test_shapes(solve: duckdb.DuckDBPyConnection, edges: Edges) -> None:
    assert partition(solve, edges) == expected(edges)


def test_no_two_tables_can_be_joined_by_unlike_alone(solve: duckdb.DuckDBPyConnection) -> None:
    """With estimates of a few rows DuckDB did that first: every pair of labels, for minutes."""
    (sql,) = solve.execute("select sql from duckdb_views() where view_name = 'solution'").fetchone()
    assert "<>" not in sql and "!=" not in sql
