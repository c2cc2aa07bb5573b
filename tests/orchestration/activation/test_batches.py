"""Batches keep to the limits of rows and of bytes, in order, and leave nobody out."""

from __future__ import annotations

from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestration.activation.batches import cut, is_too_large
from orchestration.activation.ledger import open_intents
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations.base import Limits, Row
from orchestration.ops.store import Store
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop, busy


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


def _sync(shop: Shop, receiver: Receiver) -> SyncReport:
    return sync(shop.store, shop.home, TARGET, receiver, at=NOW, wait=lambda _: None)


def _store_has(store: Store) -> list[tuple[str, str | None]]:
    return [(row.state, row.last_error) for row in open_intents(store, ["dead", "pending"])]


def test_batches_are_cut_by_bytes_and_a_row_that_is_too_large_never_leaves(shop: Shop) -> None:
    for name in ("c1", "c2", "c3", "c4"):
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.members["c4"] = "word " * 100
    shop.publish()
    receiver = Receiver(limits=Limits(100, batch_bytes=500, row_bytes=400))
    for _ in range(2):
        report = _sync(shop, receiver)
        assert report.left == {"dead": 1}
        assert _store_has(shop.store) == [("dead", "too_large")]
    assert set(receiver.members) == {"c1", "c2", "c3"}
    assert receiver.calls == 2, "two rows of about 200 bytes, then one"
    shop.members["c4"] = "short"
    shop.publish()
    report = _sync(shop, receiver)
    assert (report.left, set(receiver.members)) == ({}, {"c1", "c2", "c3", "c4"})


def test_a_batch_that_waits_is_cut_anew_where_the_destination_takes_less(shop: Shop) -> None:
    names = {f"c{number}" for number in range(7)}
    for name in names:
        shop.add(name, f"{name}@example.com")
        shop.grant(f"{name}@example.com")
    shop.publish()
    receiver = Receiver(limits=Limits(100), answers=[busy()] * 8)
    assert _sync(shop, receiver).left == {"pending": 7}
    receiver.limits, receiver.calls, sizes = Limits(3), 0, list[int]()
    deliver = receiver.deliver
    receiver.deliver = lambda batch: sizes.append(len(batch.rows)) or deliver(batch)  # type: ignore
    assert _sync(shop, receiver).left == {}
    assert (set(receiver.members), sizes) == (names, [3, 3, 1])
