"""Components of pairs of integers, handed over as Arrow lists; graphs are in tests/dbt/models."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from ingestion.functions.components import components_of
from ingestion.functions.registration import register_components


def solve(*graphs: list[tuple[int, int]]) -> list[dict[int, int]]:
    """Each node's component, per graph."""
    numbers = pa.list_(pa.int64())
    one = pa.array([[a for a, _ in pairs] for pairs in graphs], numbers)
    other = pa.array([[b for _, b in pairs] for pairs in graphs], numbers)
    rows = components_of(one, other).to_pylist()
    return [{found["node"]: found["component"] for found in row} for row in rows]


def test_each_row_is_a_graph_of_its_own() -> None:
    assert solve([(1, 2)], [], [(2, 3), (3, 9)]) == [{1: 1, 2: 1}, {}, {2: 2, 3: 2, 9: 2}]


@pytest.mark.parametrize("far", [40, 10**15])
def test_numbers_far_apart_cost_no_memory(far: int) -> None:
    assert solve([(5, far), (far, far + 1)]) == [{5: 5, far: 5, far + 1: 5}]


MANY = 50_000
SHAPES = {
    "chain": [(n, n + 1) for n in range(MANY)],
    "chain backwards": [(n + 1, n) for n in reversed(range(MANY))],
    "zigzag": [(n, MANY - n) for n in range(MANY)] + [(n, MANY - n - 1) for n in range(MANY)],
    "star around the smallest": [(0, n) for n in range(1, MANY + 1)],
    "star around the greatest": [(n, MANY) for n in range(MANY)],
    "tree": [(n, (n - 1) // 2) for n in range(1, MANY + 1)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_hangs_together_is_one_component(shape: str) -> None:
    assert solve(SHAPES[shape]) == [dict.fromkeys(range(MANY + 1), 0)]


def test_a_node_may_be_tied_to_itself() -> None:
    assert solve([(7, 7)]) == [{7: 7}]


def test_several_chunks_are_read() -> None:
    numbers = pa.list_(pa.int64())
    column = pa.chunked_array([pa.array([[1]], numbers), pa.array([[2]], numbers)])
    assert [
        [tuple(found.values()) for found in row]
        for row in components_of(column, column).to_pylist()
    ] == [[(1, 1)], [(2, 2)]]


def test_a_table_without_pairs_gives_no_row() -> None:
    with duckdb.connect() as con:
        register_components(con)
        assert con.execute(
            "select components_of(list(a), list(b)) from (select 1 as a, 2 as b where false)"
        ).fetchall() == [(None,)]
