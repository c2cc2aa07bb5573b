"""Which products the pretend shop's people take in the end: what habit, stock and anger make of it.

Belongs here: the rhythm in which things are used up, what is taken where something is out of stock,
and the brand that a bad review ends. Does not belong here: who orders when (purchases, effects).

A person's orders are gone through one after the other, everybody's at once, so what was bought
before is known. Nothing here adds an order, a line or a piece, or changes who is behind them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ingestion.demo import catalogue, effects
from ingestion.demo.calendar import DAY, Floats, Ints
from ingestion.demo.identifiers import FAR_FUTURE, NOBODY
from ingestion.demo.people import People
from ingestion.demo.permissions import BAD_SCORE, REVIEW, Feedback
from ingestion.demo.purchases import Lines, Orders, price_in
from ingestion.demo.shelf import Shelf

# Parts of its rhythm after which a product of the favourite department is due, and until when; who
# orders then mostly begins with it, and nobody buys it again before.
DUE_FROM, DUE_UNTIL = 0.8, 1.25
_BUYS_AGAIN = 0.75
_SWITCHES = 0.8

_BRAND = np.arange(len(catalogue.CATEGORIES) * catalogue.PER_CATEGORY) % len(catalogue.BRANDS)


@dataclass(frozen=True)
class Switches:
    """Who gave up which brand for which other, and when: the moment of a bad review."""

    person: Ints
    left: Ints
    taken: Ints
    since: Ints


@dataclass(frozen=True)
class _Memory:
    """What is known of each person so far: when each product of the favourite department was last
    bought (0: never), and which brand was given up.
    """

    last: Ints
    left: Ints
    taken: Ints
    since: Ints


@dataclass(frozen=True)
class _Rules:
    people: People
    shelf: Shelf
    days: Floats
    substitute: Ints
    of_brand: Ints

    def due(self, memory: _Memory, person: Ints, moment: Ints) -> Ints:
        """The product whose time it is most, by what each person bought; -1 where there is none."""
        products = self._favourites(person)
        part = self._part(memory.last[person], self.days[products], moment[:, None])
        part = np.where((part >= DUE_FROM) & (part <= DUE_UNTIL), part, 0.0)
        best = np.argmax(part, axis=1)
        rows = np.arange(len(person))
        return np.where(part[rows, best] > 0, products[rows, best], NOBODY)

    def not_yet(self, memory: _Memory, person: Ints, product: Ints, moment: Ints) -> Ints:
        """The products; where some of one is left still, its neighbour."""
        for _ in range(2):
            category, position = np.divmod(product, catalogue.PER_CATEGORY)
            last = np.where(
                category == self.people.interest[person], memory.last[person, position], 0
            )
            has_some = (last > 0) & (self._part(last, self.days[product], moment) < DUE_FROM)
            neighbour = category * catalogue.PER_CATEGORY + (position + 1) % catalogue.PER_CATEGORY
            product = np.where(has_some, neighbour, product)
        return product

    def to_be_had(self, memory: _Memory, person: Ints, product: Ints, moment: Ints) -> Ints:
        """The products; the substitute of what is out of stock, another brand's of one given up."""
        out = ~self.shelf.in_stock(product, moment)
        product = np.where(out, self.substitute[product], product)
        given_up = (moment > memory.since[person]) & (_BRAND[product] == memory.left[person])
        others = self.of_brand[product, np.maximum(memory.taken[person], 0)]
        other = np.where(self.shelf.in_stock(others[:, 0], moment), others[:, 0], others[:, 1])
        return np.where(given_up, other, product)

    def bought(self, memory: _Memory, person: Ints, product: Ints, moment: Ints) -> None:
        """Keep what was bought in mind."""
        category, position = np.divmod(product, catalogue.PER_CATEGORY)
        own = (category == self.people.interest[person]) & (self.days[product] > 0)
        memory.last[person[own], position[own]] = moment[own]

    def _favourites(self, person: Ints) -> Ints:
        first = self.people.interest[person] * catalogue.PER_CATEGORY
        return first[:, None] + np.arange(catalogue.PER_CATEGORY)

    @staticmethod
    def _part(last: Ints, days: Floats, moment: Ints) -> Floats:
        """Which part of its rhythm is over since something was bought; 0 where there is none."""
        known = (last > 0) & (days > 0)
        return np.where(known, (moment - last) / (np.where(known, days, 1.0) * DAY), 0.0)


def choose(
    rng: np.random.Generator,
    people: People,
    orders: Orders,
    lines: Lines,
    feedback: Feedback,
    shelf: Shelf,
    earlier: Switches | None = None,
    done: int = 0,
) -> tuple[Lines, Switches]:
    """The lines with what people took in the end, at its price then, and who changed brands.

    Args:
        rng: the stream of chance.
        people: who buys.
        orders: everything that they order, in time order.
        lines: what they would take if nothing were out of stock or used up.
        feedback: what they answer; a bad review ends a brand.
        shelf: the products' states.
        earlier: who gave up a brand before.
        done: how many of the orders, from the first, are as they are already.
    """
    n = len(orders)
    again, with_it, switches = rng.random(n), rng.random(n), rng.random(n)
    step = rng.integers(1, len(catalogue.BRANDS), n)
    partner = catalogue.complement_of()
    rules = _Rules(
        people, shelf, catalogue.real_days(), catalogue.substitute_of(), _products_of_brands()
    )
    memory = _memory(len(people), earlier)
    reviewed = _bad_reviews(feedback, n)
    keeps_first = orders.cause >= effects.SHELF * effects.KIND_SIZE
    product = lines.product.copy()
    first = np.searchsorted(lines.order, np.arange(n))
    count = np.bincount(lines.order, minlength=n)
    for rows in _turns(orders):
        person, moment = orders.person[rows], orders.placed[rows]
        line = np.repeat(first[rows], count[rows]) + _within(count[rows])
        buyer, at = np.repeat(person, count[rows]), np.repeat(moment, count[rows])
        new = rows >= done
        if new.any():
            due = rules.due(memory, person, moment)
            begins = new & (due >= 0) & (again[rows] < _BUYS_AGAIN) & ~keeps_first[rows]
            drawn = product[first[rows]]
            product[first[rows]] = np.where(begins, due, drawn)
            is_new = np.repeat(new, count[rows])
            stays = (lines.place[line] == 0) & np.repeat(keeps_first[rows], count[rows])
            calm = np.where(stays, product[line], rules.not_yet(memory, buyer, product[line], at))
            taken = rules.to_be_had(memory, buyer, calm, at)
            product[line] = np.where(is_new, taken, product[line])
            own = product[first[rows]]
            goes = new & (own != drawn) & (count[rows] > 1) & (partner[own] >= 0)
            goes &= with_it[rows] < catalogue.COMPLEMENT_CHANCE
            second = first[rows][goes] + 1
            product[second] = rules.to_be_had(
                memory, person[goes], partner[own[goes]], moment[goes]
            )
        rules.bought(memory, buyer, product[line], at)
        angry = (reviewed[rows] > 0) & (memory.since[person] == FAR_FUTURE)
        angry &= switches[rows] < _SWITCHES
        left = _BRAND[product[first[rows[angry]]]]
        memory.left[person[angry]] = left
        memory.taken[person[angry]] = (left + step[rows[angry]]) % len(catalogue.BRANDS)
        memory.since[person[angry]] = reviewed[rows[angry]]
    changed = np.flatnonzero(memory.since < FAR_FUTURE)
    switched = Switches(changed, memory.left[changed], memory.taken[changed], memory.since[changed])
    return priced(replace(lines, product=product), orders, shelf, done), switched


def _turns(orders: Orders) -> list[Ints]:
    """Everybody's first orders, everybody's second, and so on; the staff's trials are nobody's."""
    rows = np.flatnonzero(~orders.is_test)
    rows = rows[np.argsort(orders.person[rows], kind="stable")]
    turn = _within(np.bincount(orders.person[rows]))
    in_turn = rows[np.argsort(turn, kind="stable")]
    return np.split(in_turn, np.cumsum(np.bincount(turn))[:-1]) if len(rows) else []


def _within(count: Ints) -> Ints:
    """0, 1, … for each count in turn."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)


def _memory(people: int, earlier: Switches | None) -> _Memory:
    memory = _Memory(
        last=np.zeros((people, catalogue.PER_CATEGORY), dtype=np.int64),
        left=np.full(people, NOBODY),
        taken=np.full(people, NOBODY),
        since=np.full(people, FAR_FUTURE),
    )
    if earlier is not None:
        memory.left[earlier.person] = earlier.left
        memory.taken[earlier.person] = earlier.taken
        memory.since[earlier.person] = earlier.since
    return memory


def _bad_reviews(feedback: Feedback, orders: int) -> Ints:
    """When each order got a bad review; 0 where it got none."""
    moments = np.zeros(orders, dtype=np.int64)
    bad = (feedback.kind == REVIEW) & (feedback.score <= BAD_SCORE)
    moments[feedback.order[bad]] = feedback.occurred[bad]
    return moments


def _products_of_brands() -> Ints:
    """For each product and brand two of the same department and of that brand."""
    table = np.zeros((len(_BRAND), len(catalogue.BRANDS), 2), dtype=np.int64)
    for product in range(len(_BRAND)):
        category, position = divmod(product, catalogue.PER_CATEGORY)
        around = (position + np.arange(catalogue.PER_CATEGORY)) % catalogue.PER_CATEGORY
        around += category * catalogue.PER_CATEGORY
        for brand in range(len(catalogue.BRANDS)):
            table[product, brand] = around[_BRAND[around] == brand][:2]
    return table


def priced(lines: Lines, orders: Orders, shelf: Shelf, done: int = 0) -> Lines:
    """The lines of what is not done yet at the price of their moment."""
    pence = shelf.price(lines.product, orders.placed[lines.order])
    price = price_in(pence, orders.currency[lines.order])
    price = np.where(lines.order >= done, price, lines.price)
    discount = price * lines.quantity * orders.discount_percent[lines.order] // 100
    return replace(lines, price=price, discount=discount)
