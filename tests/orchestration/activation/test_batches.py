"""Batches keep to the limits of rows and of bytes, in order, and leave nobody out."""

from __future__ import annotations

from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestration.activation.batches import cut, is_too_large
from orchestration.destinations.base import Limits, Row
from tests.orchestration.activation.shop import Receiver


class Sized(Receiver):
    """Its rows are as large as their payload says."""

    def size(self, row: Row) -> int:
        return int(row.payload["size"])


def _rows(sizes: list[int]) -> list[Row]:
    return [Row(str(i), f"c{i}", 1, "added", {"size": size}) for i, size in enumerate(sizes)]


@given(
    sizes=st.lists(st.integers(0, 50), max_size=60),
    rows=st.integers(1, 9),
    batch_bytes=st.one_of(st.none(), st.integers(1, 120)),
)
def test_a_cut_keeps_to_both_limits(sizes: list[int], rows: int, batch_bytes: int | None) -> None:
    numbers = cut(_rows(sizes), Sized(limits=Limits(rows, batch_bytes=batch_bytes)))
    assert len(numbers) == len(sizes)
    assert numbers == sorted(numbers)
    assert sorted(set(numbers)) == list(range(len(set(numbers))))
    parts = [
        [size for _, size in part]
        for _, part in groupby(zip(numbers, sizes, strict=True), key=lambda pair: pair[0])
    ]
    limit = batch_bytes if batch_bytes is not None else sum(sizes)
    for part in parts:
        assert len(part) <= rows
        assert sum(part) <= limit or len(part) == 1
    for part, after in pairwise(parts):
        assert len(part) == rows or sum(part) + after[0] > limit, "no batch is cut too early"


def test_a_removal_is_never_too_large() -> None:
    destination = Sized(limits=Limits(1, row_bytes=10))
    large = {"size": 11}
    assert is_too_large(Row("k", "c", 1, "updated", large), destination)
    assert not is_too_large(Row("k", "c", 1, "removed", large), destination)
    assert not is_too_large(Row("k", "c", 1, "added", {"size": 10}), destination)
