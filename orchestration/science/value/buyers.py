"""A shop's orders as numbers, and what is known of its buyers at a moment of its past.

Belongs here: the shape that the methods of this folder read, and looking back. Does not belong
here: where orders come from, or any model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from orchestration.science.value.bg_nbd import Histories
from orchestration.science.value.fitting import Floats, sums

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sales:
    """What orders added to a shop's net sales and what returns took away, one row each.

    `person` numbers people from 0, `ordered` is the day of the order, `known` the day on which the
    amount counts (a return's own day), `amount` is money in one currency, `margin` what stays of
    the order after the goods are paid (NaN where that is unknown; None where it is of all). Days
    are whole numbers.
    """

    person: Ints
    ordered: Ints
    known: Ints
    amount: Floats
    margin: Floats | None = None

    def until(self, day: int) -> Sales:
        """What was known at the end of a day."""
        return self._where((self.known <= day) & (self.ordered <= day))

    def between(self, after: int, until: int) -> Sales:
        """What became known after one day and until the end of another."""
        return self._where((self.known > after) & (self.known <= until))

    @cached_property
    def order_days(self) -> tuple[Ints, Ints, Floats]:
        """The days on which people ordered: person, day and what the day's orders came to."""
        if not len(self.person):
            return self.person, self.ordered, self.amount
        days, row_of = np.unique(
            np.column_stack([self.person, self.ordered]), axis=0, return_inverse=True
        )
        return days[:, 0], days[:, 1], sums(row_of.ravel(), self.amount, len(days))

    def _where(self, rows: NDArray[np.bool_]) -> Sales:
        margin = None if self.margin is None else self.margin[rows]
        return Sales(
            self.person[rows], self.ordered[rows], self.known[rows], self.amount[rows], margin
        )


@dataclass(frozen=True)
class Buyers:
    """Whoever had ordered by a day, one row per person in the order of their numbers.

    `paid_orders` are order days that came to more than zero, `mean_value` is their mean (0 without
    any), `spent` is net, `first` and `latest` are days.
    """

    person: Ints
    first: Ints
    latest: Ints
    histories: Histories
    paid_orders: Floats
    mean_value: Floats
    spent: Floats

    @property
    def repeat_buyers(self) -> int:
        """How many ordered on more than one day."""
        return int((self.histories.repeats > 0).sum())

    @property
    def paid_share(self) -> float:
        """The share of all order days that came to more than zero."""
        return float(self.paid_orders.sum() / max((self.histories.repeats + 1).sum(), 1))

    def rows(self, rows: NDArray[np.intp]) -> Buyers:
        """Some of them."""
        return Buyers(
            self.person[rows],
            self.first[rows],
            self.latest[rows],
            self.histories.rows(rows),
            self.paid_orders[rows],
            self.mean_value[rows],
            self.spent[rows],
        )

    def __len__(self) -> int:
        """How many people."""
        return len(self.person)


def buyers_on(sales: Sales, day: int) -> Buyers:
    """Who had ordered by the end of a day, as was known then."""
    person, ordered, amount = sales.until(day).order_days
    people, start = np.unique(person, return_index=True)
    counts = np.diff(np.append(start, len(person))).astype(np.float64)
    row_of = np.repeat(np.arange(len(people)), counts.astype(np.int64))
    first = ordered[start]
    latest = ordered[start + counts.astype(np.int64) - 1]
    paid = amount > 0

    def total(values: Floats) -> Floats:
        return sums(row_of, values, len(people))

    paid_orders = total(paid.astype(np.float64))
    return Buyers(
        people,
        first,
        latest,
        Histories.of(
            counts - 1, (latest - first).astype(np.float64), (day - first).astype(np.float64)
        ),
        paid_orders,
        total(np.where(paid, amount, 0.0)) / np.maximum(paid_orders, 1),
        total(amount),
    )
