"""Our functions as Spark calls them: on Arrow arrays, with NULL in every place."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from ingestion.functions.identifiers import match_identifier
from orchestration.spark.functions import matching_forms, placed_nodes, refused_places

LISTS = pa.list_(pa.list_(pa.int64()))


@pytest.mark.parametrize(
    "row",
    [
        ("email", "Ann@Example.com", "GB"),
        ("email", "Анна@пример.рф", "GB"),
        ("phone", "020 7946 0958", "GB"),
        ("phone", "no number", "GB"),
        ("email", None, "GB"),
        (None, "ann@example.com", "GB"),
    ],
)
def test_a_matching_form_is_the_function_s_own(row: tuple[Any, ...]) -> None:
    columns = [pa.array([value, value], pa.string()) for value in row]
    assert matching_forms(*columns).to_pylist() == [match_identifier(*row)] * 2


def test_nodes_get_the_smallest_of_their_component() -> None:
    one, other = ([[1, 5], [], [7]], [[2, 2], [], [9]])
    numbers = pa.list_(pa.int64())
    placed = placed_nodes(pa.array(one, numbers), pa.array(other, numbers)).to_pylist()
    assert [[(row["node"], row["component"]) for row in rows] for rows in placed] == [
        [(1, 1), (2, 1), (5, 1)],
        [],
        [(7, 7), (9, 7)],
    ]


def test_edges_are_given_up_row_by_row() -> None:
    edges = pa.array([[[1, 2], [3, 4], [2, 3]], [[1, 2]], None], LISTS)
    apart = pa.array([[[1, 4]], [], []], LISTS)
    none = pa.array([[], [], []], LISTS)
    assert refused_places(edges, apart, none, none).to_pylist() == [[[3, 1]], [], None]
