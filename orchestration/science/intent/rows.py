"""People on days with signals, as numbers: what was known then, and what came after.

Belongs here: the shape that the methods of this folder read. Does not belong here: where it comes
from (files), or any method.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from orchestration.science.purchases import Flags, Floats, Ints

# Days of silence of whoever never ordered, for sorting
NEVER = 10_000.0


@dataclass(frozen=True)
class Rows:
    """One row per person and day.

    `signals` has a column per kind of signal since the last order, decayed; `silent` is days since
    the last of them, `order_days` and `since_order` how many days with orders there were and how
    long ago (NaN: never), `stage` the number of the journey's stage (-1: none) and `stage_days`
    since when. What came after: days until the next order and until a later stage (infinite:
    not yet), and which stage that was (-1). Days are whole numbers, people are numbered from 0.
    """

    person: Ints
    day: Ints
    signals: Floats
    has_cart: Flags
    silent: Floats
    order_days: Floats
    since_order: Floats
    stage: Ints
    stage_days: Floats
    until_order: Floats
    until_stage: Floats
    later_stage: Ints

    def __len__(self) -> int:
        """How many rows."""
        return len(self.person)

    def where(self, rows: Flags) -> Rows:
        """Some of them."""
        return Rows(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @property
    def columns(self) -> Floats:
        """What an order is learnt from: a row per row, counts and days as logarithms."""
        has_ordered = self.order_days > 0
        known: Floats = np.column_stack(
            [
                np.log1p(self.signals),
                np.log1p(self.silent),
                has_ordered,
                np.log1p(self.order_days),
                np.where(has_ordered, np.log1p(np.nan_to_num(self.since_order)), 0.0),
            ]
        )
        return known

    @property
    def stage_columns(self) -> Floats:
        """What a later stage is learnt from: the same, the stage and how long it has lasted."""
        stages = np.arange(max(int(self.stage.max(initial=0)), 4) + 1)
        known: Floats = np.column_stack(
            [self.columns, self.stage[:, None] == stages, np.log1p(self.stage_days)]
        )
        return known
