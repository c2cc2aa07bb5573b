"""How rows are cut into batches, by their number and by their bytes.

Belongs here: the cut alone, a pure function. Does not belong here: what the limits are (each
destination) and queueing (`outbox`).
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestration.destinations.base import Destination, Row, size_as_sent


def is_too_large(row: Row, destination: Destination) -> bool:
    """Whether the destination takes no such row; a removal is never kept back for its size."""
    limit = destination.limits.row_bytes
    if limit is None or row.operation == "removed":
        return False
    return size_as_sent(destination, row) > limit


def cut(rows: Iterable[Row], destination: Destination) -> list[int]:
    """The batch of each row, counted from 0, in the order of the rows.

    A row that is larger than a whole batch has one for itself.
    """
    limits = destination.limits
    numbers: list[int] = []
    batch = count = filled = 0
    for row in rows:
        size = size_as_sent(destination, row) if limits.batch_bytes else 0
        has_no_room = bool(limits.batch_bytes) and filled + size > (limits.batch_bytes or 0)
        if count and (count == limits.rows or has_no_room):
            batch, count, filled = batch + 1, 0, 0
        numbers.append(batch)
        count, filled = count + 1, filled + size
    return numbers
