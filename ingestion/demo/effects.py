"""What makes the pretend shop's people order who would not have: letters and visits from channels.

Belongs here: the planted effects, and drawing the orders that they cause or prevent. Does not
belong here: orders of one's own accord (purchases), or the truth's files (write_truth).

An effect is a chance per person who was exposed; several are exactly zero and one letter keeps
people from ordering. Nothing of it depends on opens, clicks or which visit an order ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ingestion.demo import browsing, catalogue, mailing, purchases
from ingestion.demo.calendar import DAY, HOUR, Calendar, Floats, Ints, joined, rows_of
from ingestion.demo.identifiers import NOBODY, TYPO, Identifiers
from ingestion.demo.people import Bools, People
from ingestion.demo.purchases import Lines, Orders
from ingestion.demo.shelf import Shelf
from ingestion.demo.troubles import Troubles

# A cause's code: its kind's number and its place in that kind.
LETTER, CHANNEL, SHELF = 0, 1, 2
KINDS = ("campaign", "channel")
KIND_SIZE = 10_000
# The chance that a visit from a source leads to an order that would not have been. People who look
# for the shop's name, or are shown what they have seen, would have come anyway.
CHANNEL_EFFECT = {
    "paid_social": 0.10,
    "affiliate": 0.06,
    "referral": 0.08,
    "organic_social": 0.04,
    "sms": 0.0,
    "paid_search": 0.0,
    "display": 0.0,
    "organic_search": 0.0,
    "direct": 0.0,
}
# The chance that somebody who looked at a product in the month before orders it for its new state,
# by the kind of the change; named so in the truth.
SHELF_KINDS = ("price_drop", "back_in_stock")
SHELF_EFFECT = (0.15, 0.20)
LOOKED_WITHIN = 30 * DAY
_ENGAGEMENT = 3.0  # the reciprocal of the mean: whoever likes mail follows it more
PREVENTS_WITHIN = 10 * DAY


@dataclass(frozen=True)
class Extra:
    """Orders that something caused: one row each."""

    person: Ints
    placed: Ints
    cause: Ints

    @classmethod
    def joined(cls, *parts: Extra) -> Extra:
        """All rows of the parts, in time order."""
        return joined(cls, parts, "placed", "person", "cause")


@dataclass(frozen=True)
class Prevented:
    """Orders that a letter kept people from: their cause and what they would have paid."""

    cause: Ints
    pence: Ints


@dataclass(frozen=True)
class Watchers:
    """Who had looked at a product before its state changed: person and the change as a cause."""

    person: Ints
    cause: Ints


@dataclass(frozen=True)
class Happened:
    """What people do in the end, and what they would have done."""

    orders: Orders
    lines: Lines
    visits: browsing.Visits
    prevented: Prevented
    watchers: Watchers


def letters_cause(
    rng: np.random.Generator,
    people: People,
    exposures: dict[str, Ints],
    letters: Sequence[mailing.Campaign],
    calendar: Calendar,
) -> Extra:
    """The orders of people who got a letter, for that letter."""
    effect = np.zeros(max((letter.index for letter in letters), default=-1) + 1)
    sent = np.zeros(len(effect), dtype=np.int64)
    for letter in letters:
        effect[letter.index], sent[letter.index] = max(letter.extra_orders, 0.0), letter.sent
    treated = np.flatnonzero(exposures["is_treated"] == 1)
    # A person with two addresses in the list decides once.
    person, letter_of = exposures["person"][treated], exposures["campaign"][treated]
    first = np.unique(letter_of * len(people) + person, return_index=True)[1]
    person, letter_of = person[first], letter_of[first]
    chance = effect[letter_of] * _ENGAGEMENT * people.engagement[person]
    return _caused(rng, people, person, sent[letter_of], chance, letter_of, calendar)


def visits_cause(
    rng: np.random.Generator, people: People, visits: browsing.Visits, calendar: Calendar
) -> Extra:
    """The orders of people who came from a channel, for that visit."""
    rows = np.flatnonzero((visits.person >= 0) & (visits.order < 0))
    effects = np.array([CHANNEL_EFFECT.get(source, 0.0) for source in browsing.SOURCES])
    source = visits.source[rows]
    cause = CHANNEL * KIND_SIZE + source
    return _caused(
        rng, people, visits.person[rows], visits.start[rows], effects[source], cause, calendar
    )


def watch(people: People, visits: browsing.Visits, shelf: Shelf, calendar: Calendar) -> Watchers:
    """Everybody who looked at a product in the month before its price fell or it came back."""
    visit, _, product = browsing.looks(visits, people)
    known = visits.person[visit] >= 0
    person, moment, product = (
        visits.person[visit][known],
        visits.start[visit][known],
        product[known],
    )
    parts = [(person[:0], person[:0])]
    for position, change in enumerate(shelf.changes):
        if calendar.start <= change.moment < calendar.end:
            saw = (product == change.product) & (moment < change.moment)
            saw &= moment >= change.moment - LOOKED_WITHIN
            watchers = np.unique(person[saw])
            parts.append((watchers, np.full(len(watchers), SHELF * KIND_SIZE + position)))
    return Watchers(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def shelf_causes(
    rng: np.random.Generator, people: People, watchers: Watchers, shelf: Shelf, calendar: Calendar
) -> Extra:
    """The orders of those who had looked at a product, for its lower price or its return."""
    change = watchers.cause - SHELF * KIND_SIZE
    moments = np.array([each.moment for each in shelf.changes], dtype=np.int64)
    chances = np.array([SHELF_EFFECT[each.kind] for each in shelf.changes])
    return _caused(
        rng, people, watchers.person, moments[change], chances[change], watchers.cause, calendar
    )


def _caused(
    rng: np.random.Generator,
    people: People,
    person: Ints,
    moment: Ints,
    chance: Floats,
    cause: Ints,
    calendar: Calendar,
) -> Extra:
    """Some days after a moment, of those who buy here and still care for the shop."""
    n = len(person)
    placed = moment + DAY + np.minimum(rng.exponential(1.5 * DAY, n), 5 * DAY).astype(np.int64)
    follows = people.buyer[person] & (rng.random(n) < chance)
    follows &= (people.joined[person] <= moment) & (placed < people.left[person])
    follows &= placed < calendar.end - HOUR
    kept = np.flatnonzero(follows)
    return Extra(person[kept], placed[kept], cause[kept])


def _prevents(
    rng: np.random.Generator,
    orders: Orders,
    exposures: dict[str, Ints],
    letters: Sequence[mailing.Campaign],
) -> Ints:
    """The cause that keeps each order from being placed; -1 for those that are. No first order."""
    cause = np.full(len(orders), NOBODY)
    later = np.ones(len(orders), dtype=np.bool_)
    later[np.unique(orders.person, return_index=True)[1]] = False
    chance = rng.random(len(orders))
    for letter in letters:
        if letter.extra_orders >= 0:
            continue
        got = (exposures["campaign"] == letter.index) & (exposures["is_treated"] == 1)
        hit = later & ~orders.is_test & (chance < -letter.extra_orders)
        hit &= (orders.placed > letter.sent) & (orders.placed < letter.sent + PREVENTS_WITHIN)
        hit &= np.isin(orders.person, exposures["person"][got])
        cause = np.where(hit & (cause < 0), letter.index, cause)
    return cause


def happen(
    stream: Callable[[int], np.random.Generator],
    people: People,
    ids: Identifiers,
    orders: Orders,
    lines: Lines,
    visits: browsing.Visits,
    exposures: dict[str, Ints],
    letters: Sequence[mailing.Campaign],
    calendar: Calendar,
    troubles: Troubles,
    shelf: Shelf,
    earlier: int = 0,
    seen: browsing.Visits | None = None,
) -> Happened:
    """Put in what is caused and take out what is prevented; rows stay in time order.

    Args:
        stream: a new stream of chance by its number.
        people: who is there.
        ids: under which names.
        orders: those of people's own accord.
        lines: their lines.
        visits: every visit except clicks in messages.
        exposures: who was to get which letter.
        letters: the letters of this time.
        calendar: this time.
        troubles: how often things go wrong.
        shelf: the products' states.
        earlier: how many orders of these people have a number already.
        seen: the visits in which a product can have been looked at, where they are others.
    """
    watchers = watch(people, visits if seen is None else seen, shelf, calendar)
    extra = Extra.joined(
        letters_cause(stream(20), people, exposures, letters, calendar),
        visits_cause(stream(21), people, visits, calendar),
        shelf_causes(stream(26), people, watchers, shelf, calendar),
    )
    prevented = _prevents(stream(22), orders, exposures, letters)
    worth = order_pence(orders, lines)
    gone = np.flatnonzero(prevented >= 0)
    orders, lines, visits = _without(orders, lines, visits, prevented >= 0)
    more, more_lines = _orders_of(stream, people, ids, extra, calendar, troubles)
    more_lines = _begun_with(more_lines, more, shelf)
    more_visits = browsing.order_visits(stream(25), ids, more)
    happened = _merged(people, orders, lines, visits, more, more_lines, more_visits, earlier)
    return Happened(*happened, Prevented(prevented[gone], worth[gone]), watchers)


def _begun_with(lines: Lines, orders: Orders, shelf: Shelf) -> Lines:
    """Who orders for a product's new state takes it first."""
    products = np.array([change.product for change in shelf.changes], dtype=np.int64)
    cause = orders.cause[lines.order]
    for_it = (lines.place == 0) & (cause >= SHELF * KIND_SIZE)
    wanted = products[np.where(for_it, cause - SHELF * KIND_SIZE, 0)]
    return replace(lines, product=np.where(for_it, wanted, lines.product))


def _orders_of(
    stream: Callable[[int], np.random.Generator],
    people: People,
    ids: Identifiers,
    extra: Extra,
    calendar: Calendar,
    troubles: Troubles,
) -> tuple[Orders, Lines]:
    """The orders of `extra`: nobody mistypes an address a second time, none is a test."""
    ids = replace(ids, email=ids.email | {TYPO: np.full(len(people), NOBODY, dtype=np.int64)})
    calm = replace(troubles, test_order=0.0, missing_rate=0.0)
    made = purchases.make_orders(
        stream(23), people, ids, calendar, calm, (extra.person, extra.placed), 0, extra.cause
    )
    prices = np.array([product.price for product in catalogue.products()], dtype=np.int64)
    return made, purchases.make_lines(stream(24), made, people, prices)


def order_pence(orders: Orders, lines: Lines) -> Ints:
    """What each order's lines cost in pence, by the shop's own price factor of its currency."""
    factor = catalogue.PRICE_FACTOR[orders.currency[lines.order]]
    pence = (lines.price * lines.quantity - lines.discount) / factor
    return np.round(np.bincount(lines.order, pence, len(orders))).astype(np.int64)


def _without(
    orders: Orders, lines: Lines, visits: browsing.Visits, gone: Bools
) -> tuple[Orders, Lines, browsing.Visits]:
    number = np.where(gone, NOBODY, np.cumsum(~gone) - 1)
    kept_lines, kept_visits = ~gone[lines.order], ~np.append(gone, False)[visits.order]
    lines, visits = rows_of(lines, kept_lines), rows_of(visits, kept_visits)
    return (
        rows_of(orders, ~gone),
        replace(lines, order=number[lines.order]),
        replace(visits, order=_renumbered(number, visits.order)),
    )


def _merged(
    people: People,
    orders: Orders,
    lines: Lines,
    visits: browsing.Visits,
    more: Orders,
    more_lines: Lines,
    more_visits: browsing.Visits,
    earlier: int,
) -> tuple[Orders, Lines, browsing.Visits]:
    """All rows, orders numbered anew in time order."""
    count = len(orders)
    placed = np.concatenate([orders.placed, more.placed])
    order = np.lexsort((np.concatenate([orders.person, more.person]), placed))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    columns = {
        field.name: np.concatenate([getattr(orders, field.name), getattr(more, field.name)])[order]
        for field in fields(Orders)
    }
    columns["number"] = people.first_id * 40 + earlier + np.arange(len(order))
    return (
        Orders(**columns),
        joined(
            Lines,
            [
                replace(lines, order=number[lines.order]),
                replace(more_lines, order=number[more_lines.order + count]),
            ],
            "order",
            "place",
        ),
        browsing.Visits.joined(
            replace(visits, order=_renumbered(number, visits.order)),
            replace(more_visits, order=number[more_visits.order + count]),
        ),
    )


def _renumbered(number: Ints, order: Ints) -> Ints:
    return np.where(order >= 0, np.append(number, NOBODY)[order], NOBODY)
