"""The single events of every visit, as numbers: what, when, which product.

Belongs here: expanding visits into events, the checkouts begun in them, and the troubles of
delivery (late, skewed, twice). Does not belong here: the JSON they are written as (writing).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingestion.demo.browsing import BROWSE, CART, CHECKOUT, NO_SIGN, ORDER, WISHLIST, Visits, looks
from ingestion.demo.calendar import DAY, HOUR, Calendar, Ints, lookup
from ingestion.demo.identifiers import NOBODY
from ingestion.demo.people import People
from ingestion.demo.purchases import Lines, Orders
from ingestion.demo.troubles import Troubles

KINDS = (
    "page",
    "identify",
    "Products Searched",
    "Product List Viewed",
    "Product Viewed",
    "Product Added to Wishlist",
    "Product Added",
    "Cart Viewed",
    "Checkout Started",
    "Coupon Applied",
    "Order Completed",
    "Product Reviewed",
    "Product Shared",
    "Promotion Viewed",
    "Push Subscribed",
    "Quiz Completed",
)
(
    PAGE, IDENTIFY, SEARCHED, LIST_VIEWED, VIEWED, WISHED, ADDED, CART_VIEWED, CHECKOUT_STARTED,
    COUPON, COMPLETED, REVIEWED, SHARED, PROMOTION, PUSH, QUIZ,
) = range(len(KINDS))  # fmt: skip
# Where in a visit each kind stands; views and adds are interleaved by the product's place.
_STAGE = {kind: kind * 1000 for kind in range(len(KINDS))}
# Of visits that put nothing anywhere, one in so many searches last, and in vain if it searches.
IN_VAIN = 4


@dataclass(frozen=True)
class Events:
    """One row per delivery of an event; `visit` is the row in Visits.

    `occurred` is the truth, `clocked` what the device's clock said, `received` when the line was
    made, `delivered` when it (or its second copy) came in: the day of its file. Seconds UTC.
    """

    visit: Ints
    place: Ints
    kind: Ints
    product: Ints
    quantity: Ints
    occurred: Ints
    clocked: Ints
    received: Ints
    delivered: Ints


@dataclass(frozen=True)
class Checkouts:
    """One row per checkout that somebody began, gave an address in and left; in time order.

    `visit` is the row in Visits, `product` what was in it. The site's own event of it may come in
    late, or not at all.
    """

    visit: Ints
    began: Ints
    product: Ints


def make_events(
    rng: np.random.Generator,
    visits: Visits,
    people: People,
    orders: Orders,
    lines: Lines,
    calendar: Calendar,
    troubles: Troubles,
) -> tuple[Events, Checkouts]:
    """Expand the visits; a visit's events stand in the order in which they happened."""
    parts = _fixed(rng, visits, orders) + _products(visits, people, orders, lines)
    visit, stage, kind, product, quantity = (
        np.concatenate([np.asarray(part[column], dtype=np.int64) for part in parts])
        for column in range(5)
    )
    order = np.lexsort((stage, visit))
    visit, kind, product, quantity = visit[order], kind[order], product[order], quantity[order]
    counts = np.bincount(visit, minlength=len(visits))
    firsts = np.cumsum(counts) - counts
    position = np.arange(len(visit)) - firsts[visit]
    occurred = _times(rng, visits, orders, visit, position, kind, firsts)
    left = _left(visits, visit, kind, product, occurred)
    return (
        _delivered(rng, visit, position, kind, product, quantity, occurred, calendar, troubles),
        left,
    )


Part = tuple[Ints, Ints, Ints, Ints, Ints]


def _part(
    visit: Ints,
    kind: int,
    stage: Ints | int,
    product: Ints | int = NOBODY,
    quantity: Ints | int = 1,
) -> Part:
    n = len(visit)

    def full(value: Ints | int) -> Ints:
        return np.broadcast_to(np.asarray(value, dtype=np.int64), (n,))

    return visit, full(stage), full(kind), full(product), full(quantity)


def _fixed(rng: np.random.Generator, visits: Visits, orders: Orders) -> list[Part]:
    """Events of which a visit has at most one."""
    n = len(visits)
    every = np.arange(n)
    is_person = visits.person >= 0
    depth = visits.depth
    has_coupon = lookup(orders.discount_percent, visits.order) > 0
    # People sign in early when they sign in at all, and leave an address late.
    sign_stage = np.where(visits.login >= 0, 500, CHECKOUT_STARTED * 1000 + 10)
    chosen = {
        PAGE: every >= 0,
        SEARCHED: is_person & (rng.random(n) < 0.15),
        LIST_VIEWED: (visits.views > 0) & (rng.random(n) < 0.5),
        CART_VIEWED: (depth >= CART) & (rng.random(n) < 0.6),
        CHECKOUT_STARTED: depth >= CHECKOUT,
        COUPON: has_coupon,
        COMPLETED: depth == ORDER,
        REVIEWED: is_person & (visits.login >= 0) & (rng.random(n) < 0.05),
        SHARED: is_person & (rng.random(n) < 0.006),
        PROMOTION: is_person & (rng.random(n) < 0.08),
        PUSH: is_person & (rng.random(n) < 0.006),
        QUIZ: is_person & (rng.random(n) < 0.008),
    }
    stages: dict[int, Ints] = {kind: np.full(n, _STAGE[kind]) for kind in chosen}
    in_vain = (depth == BROWSE) & (every % IN_VAIN == 0)
    stages[SEARCHED][in_vain] = _STAGE[VIEWED] + 999
    parts = [_part(every[mask], kind, stages[kind][mask]) for kind, mask in chosen.items()]
    signs = visits.sign != NO_SIGN
    parts.append(_part(every[signs], IDENTIFY, sign_stage[signs]))
    return parts


def _products(visits: Visits, people: People, orders: Orders, lines: Lines) -> list[Part]:
    """Product views, and what goes from them onto the wish list or into the cart."""
    visit, position, product = looks(visits, people)
    firsts = np.cumsum(visits.views) - visits.views
    views = _part(visit, VIEWED, _STAGE[VIEWED] + position * 2, product)
    last = np.zeros(len(visit), dtype=np.bool_)
    last[(firsts + visits.views - 1)[visits.views > 0]] = True
    wished = last & (visits.depth == WISHLIST)[visit]
    carted = last & ((visits.depth == CART) | (visits.depth == CHECKOUT))[visit]
    # What is ordered was put into the cart: one line, one event.
    visit_of_order = np.full(len(orders), NOBODY)
    placed = np.flatnonzero(visits.order >= 0)
    visit_of_order[visits.order[placed]] = placed
    bought = np.flatnonzero(visit_of_order[lines.order] >= 0)
    return [
        views,
        _part(visit[wished], WISHED, _STAGE[WISHED], product[wished]),
        _part(visit[carted], ADDED, _STAGE[ADDED], product[carted]),
        _part(
            visit_of_order[lines.order[bought]],
            ADDED,
            _STAGE[ADDED] + lines.place[bought],
            lines.product[bought],
            lines.quantity[bought],
        ),
    ]


def _times(
    rng: np.random.Generator,
    visits: Visits,
    orders: Orders,
    visit: Ints,
    position: Ints,
    kind: Ints,
    firsts: Ints,
) -> Ints:
    """Seconds between events; an order is completed at the moment that the order says."""
    gaps = np.where(position == 0, 0, 4 + rng.exponential(38, len(visit)).astype(np.int64))
    elapsed = np.cumsum(gaps)
    elapsed -= elapsed[firsts][visit] if len(visit) else 0
    occurred = visits.start[visit] + elapsed
    completed = kind == COMPLETED
    ends = np.full(len(visits), 0)
    ends[visit[completed]] = orders.placed[visits.order[visit[completed]]]
    overshoot = np.zeros(len(visits), dtype=np.int64)
    overshoot[visit[completed]] = ends[visit[completed]] - occurred[completed]
    has_order = visits.order[visit] >= 0
    moved = np.where(has_order, occurred + overshoot[visit], occurred)
    return np.asarray(moved, dtype=np.int64)


def _left(visits: Visits, visit: Ints, kind: Ints, product: Ints, occurred: Ints) -> Checkouts:
    """A visit that ends in a checkout put one product into the cart before it."""
    ends = (visits.depth == CHECKOUT) & (visits.email >= 0)
    carted = np.full(len(visits), NOBODY)
    added = kind == ADDED
    carted[visit[added]] = product[added]
    begun = np.flatnonzero((kind == CHECKOUT_STARTED) & ends[visit])
    begun = begun[np.lexsort((visit[begun], occurred[begun]))]
    return Checkouts(visit[begun], occurred[begun], carted[visit[begun]])


def _delivered(
    rng: np.random.Generator,
    visit: Ints,
    position: Ints,
    kind: Ints,
    product: Ints,
    quantity: Ints,
    occurred: Ints,
    calendar: Calendar,
    troubles: Troubles,
) -> Events:
    n = len(visit)
    late = rng.random(n) < troubles.late_event
    delay = np.where(late, rng.integers(HOUR, 10 * DAY, n), rng.integers(0, 8, n))
    skewed = rng.random(n) < troubles.clock_skew
    clocked = occurred + np.where(skewed, rng.integers(-DAY, DAY, n), 0)
    twice = np.flatnonzero(rng.random(n) < troubles.duplicate_event)
    # The second delivery is the same line, byte for byte; only the file is a later one.
    received = occurred + delay
    rows = np.concatenate([np.arange(n), twice])
    delivered = received[rows]
    delivered[n:] += rng.integers(1, 3 * DAY, len(twice))
    order = np.lexsort((position[rows], visit[rows], delivered))
    order = order[delivered[order] < calendar.end]
    kept = rows[order]
    return Events(
        visit[kept],
        position[kept],
        kind[kept],
        product[kept],
        quantity[kept],
        occurred[kept],
        clocked[kept],
        received[kept],
        delivered[order],
    )
