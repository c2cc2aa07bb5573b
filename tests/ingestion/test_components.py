"""Components of pairs of integers, handed over as Arrow lists; graphs are in tests/dbt/models."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from ingestion.components import components_of
from ingestion.duckdb_functions import register_components


def solve(*graphs: list[tuple[int, int]]) -> list[list[int]]:
    numbers = pa.list_(pa.int64())
    one = pa.array([[a for a, _ in pairs] for pairs in graphs], numbers)
    other = pa.array([[b for _, b in pairs] for pairs in graphs], numbers)
    return list(components_of(one, other).to_pylist())


def test_each_row_is_a_graph_of_its_own() -> None:
    assert solve([(1, 2)], [], [(2, 3), (3, 9)]) == [[1, 2, 1, 1], [], [2, 3, 9, 2, 2, 2]]


@pytest.mark.parametrize("far", [40, 10**15])
def test_numbers_far_apart_cost_no_memory(far: int) -> None:
    assert solve([(5, far), (far, far + 1)]) == [[5, far, far + 1, 5, 5, 5]]


def test_a_node_may_be_tied_to_itself() -> None:
    assert solve([(7, 7)]) == [[7, 7]]


def test_several_chunks_are_read() -> None:
    numbers = pa.list_(pa.int64())
    column = pa.chunked_array([pa.array([[1]], numbers), pa.array([[2]], numbers)])
    assert components_of(column, column).to_pylist() == [[1, 1], [2, 2]]


def test_a_table_without_pairs_gives_no_row() -> None:
    with duckdb.connect() as con:
        register_components(con)
        assert con.execute(
            "select components_of(list(a), list(b)) from (select 1 as a, 2 as b where false)"
        ).fetchall() == [(None,)]
