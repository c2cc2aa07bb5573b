"""What a reader hands to the landing: rows of text, and records that have no usable form.

Belongs here: the two shapes. Does not belong here: reading files, typing or judging rows, what
becomes of a batch (`steps.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from ingestion.landing.numbers import NumberForm
from ingestion.landing.times import DayOrder

# The relation under which a batch's table stands in the scratch database.
CHUNK = "chunk"
# How `_file` begins for rows that were pulled from a database: a pull is a part of what there is,
# and a row's line is its position in the pull, another one each time.
PULLED = "sql:"
# How the path of a file begins that came by a webhook: it lies in the home's inbox, not in the
# input, and holds as many rows as its sender sent at once.
ARRIVED = "inbox:"


@dataclass(frozen=True)
class Reject:
    """A record, or a whole file (line 0), that has no usable form."""

    file: str
    line: int
    reason: str
    field: str = ""
    raw_text: str = ""


@dataclass(frozen=True)
class RawBatch:
    """Rows of text: JSON documents (`_raw`), or columns `c0…` under a header.

    Args:
        table: `_file`, `_line` and the texts.
        header: names of the columns; None for documents.
        forms: how the numbers of a declared column are written, where the file decided it.
        day_orders: which comes first of a day and a month in figures, by declared column.
        typed: places of columns that the file itself keeps as numbers or times, not as text.
        delimiter: of a CSV file.
        left_out: rows of the file that say nothing to the table, in the same columns; only how
            numbers and days are written in them counts.
    """

    table: pa.Table
    header: tuple[str, ...] | None = None
    forms: tuple[tuple[str, NumberForm], ...] = ()
    day_orders: tuple[tuple[str, DayOrder], ...] = ()
    typed: frozenset[int] = frozenset()
    delimiter: str = ""
    left_out: pa.Table | None = field(default=None, compare=False)

    @property
    def is_json(self) -> bool:
        """Whether rows are JSON documents."""
        return self.header is None
