"""Times between a person's purchases of one product, and waits that are not over yet.

Belongs here: the shape that the methods of this folder read, and looking back. Does not belong
here: where purchases come from, or any model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.science.purchases import Flags, Ints, Purchases


@dataclass(frozen=True)
class Gaps:
    """One row per purchase: how many days until the same product was bought again.

    Where `is_over` is False it was not yet bought again after `days`; such rows count too, as
    without them only those who came back fast would speak. `end` is the day of the next purchase,
    or the day of looking.
    """

    person: Ints
    product: Ints
    days: Ints
    end: Ints
    is_over: Flags

    def repeat_buyers(self, products: int) -> Ints:
        """How many people bought each product on more than one day."""
        pairs = np.unique(
            np.column_stack([self.product[self.is_over], self.person[self.is_over]]), axis=0
        )
        return np.bincount(pairs[:, 0], minlength=products).astype(np.int64)

    def where(self, rows: Flags) -> Gaps:
        """Some of the rows."""
        return Gaps(
            self.person[rows], self.product[rows], self.days[rows], self.end[rows],
            self.is_over[rows],
        )  # fmt: skip

    def grouped(self, group: Ints) -> Gaps:
        """The same with products put together: `group` has the number of each product's group."""
        return Gaps(self.person, group[self.product], self.days, self.end, self.is_over)


def gaps_on(purchases: Purchases, day: int) -> Gaps:
    """The gaps as they were known at the end of a day; a wait of no full day says nothing."""
    known = purchases.until(day)
    rows = np.unique(np.column_stack([known.person, known.product, known.day]), axis=0)
    person, product, start = rows[:, 0], rows[:, 1], rows[:, 2]
    is_over = np.zeros(len(rows), dtype=np.bool_)
    if len(rows) > 1:
        is_over[:-1] = (person[:-1] == person[1:]) & (product[:-1] == product[1:])
    end = np.full(len(rows), day, dtype=np.int64)
    end[is_over] = start[1:][is_over[:-1]]
    gaps = Gaps(person, product, end - start, end, is_over)
    return gaps.where(gaps.days > 0)
