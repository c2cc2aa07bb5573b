"""What the pretend shop's products cost and whether they can be bought, from when to when.

Belongs here: price drops, stock-outs and returns to stock, the same for every seed. Does not belong
here: the products themselves (catalogue), or what people do about it (choices, effects).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ingestion.demo import catalogue
from ingestion.demo.calendar import DAY, Ints
from ingestion.demo.people import Bools

PRICE_DROP, BACK_IN_STOCK = range(2)
_STRETCH = 20_000 * DAY
# Which products, from how many days after the first moment until when, and what is left of the
# price in per cent (nothing: the product is out of stock).
_SPANS = (
    (13, 4, -200, -179, 80),
    (13, 9, -25, 20, 75),
    (13, 1, 60, 81, 80),
    (17, 5, -12, 9, 0),
    (17, 11, -240, -210, 0),
    (17, 2, 100, 121, 0),
    (59, 21, -3, 30, 80),
    (59, 24, -20, -3, 0),
)
_UNANSWERED = 4 * DAY  # so shortly before the first moment nobody has acted on a change yet


@dataclass(frozen=True)
class Change:
    """Something that people who looked at the product before may order it for."""

    kind: int
    product: int
    moment: int


@dataclass(frozen=True)
class Shelf:
    """The states of all products; `end` is the shop's first moment, which they are told from."""

    end: int

    @cached_property
    def states(self) -> tuple[tuple[int, int, int, int, bool], ...]:
        """Product, since when, until when, price in pence and whether it is in stock; in order."""
        return tuple(state for product in catalogue.products() for state in self._of(product))

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The price drops and returns to stock that people order for, by product and moment."""
        changes = []
        for before, after in zip(self.states, self.states[1:], strict=False):
            if before[0] != after[0] or 0 <= self.end - after[1] < _UNANSWERED:
                continue
            if after[3] < before[3] and after[4]:
                changes.append(Change(PRICE_DROP, after[0], after[1]))
            if after[4] and not before[4]:
                changes.append(Change(BACK_IN_STOCK, after[0], after[1]))
        return tuple(changes)

    def price(self, product: Ints, moment: Ints) -> Ints:
        """What each product costs at each moment, in pence."""
        return self._prices[self._state(product, moment)]

    def in_stock(self, product: Ints, moment: Ints) -> Bools:
        """Whether each product can be bought at each moment."""
        return self._stocked[self._state(product, moment)]

    def _state(self, product: Ints, moment: Ints) -> Ints:
        at = product * _STRETCH + (moment - self.end)
        return np.searchsorted(self._starts, at, "right") - 1

    @cached_property
    def _starts(self) -> Ints:
        """Where each state begins, from the shop's first moment, one product behind another."""
        starts = [
            index * _STRETCH + max(since - self.end, -_STRETCH // 2)
            for index, since, *_ in self.states
        ]
        return np.array(starts, dtype=np.int64)

    @cached_property
    def _prices(self) -> Ints:
        return np.array([state[3] for state in self.states], dtype=np.int64)

    @cached_property
    def _stocked(self) -> Bools:
        return np.array([state[4] for state in self.states])

    def _of(self, product: catalogue.Product) -> list[tuple[int, int, int, int, bool]]:
        spans = [
            (self.end + since * DAY, self.end + until * DAY, left)
            for every, remainder, since, until, left in _SPANS
            if product.index % every == remainder
        ]
        edges = sorted({0, *(edge for since, until, _ in spans for edge in (since, until))})
        states = []
        for since, until in zip(edges, [*edges[1:], self.end + 10_000 * DAY], strict=True):
            left = [share for first, last, share in spans if first <= since < last]
            price = product.price * min([share for share in left if share], default=100)
            states.append((product.index, since, until, price // 500 * 5, 0 not in left))
        return states
