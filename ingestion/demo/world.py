"""The pretend shop's world: who lives in it and everything that happens, with known truth.

Belongs here: putting the parts together, block by block, so that any number of people fits into
memory. Does not belong here: how a part is drawn, or what is written about it.

The same seed, people and `as_of` give the same world. A block of people is drawn by itself, so
worlds of more than one block are as reproducible as small ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

from ingestion.demo import (
    browsing,
    catalogue,
    choices,
    clickstream,
    effects,
    mailing,
    permissions,
    purchases,
)
from ingestion.demo.calendar import Calendar, Ints
from ingestion.demo.identifiers import Identifiers, make_identifiers
from ingestion.demo.people import People, make_people
from ingestion.demo.shelf import Shelf
from ingestion.demo.troubles import Troubles

DEFAULT_PEOPLE = 2_000
DEFAULT_AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
MONTHS = 18
BLOCK = 25_000


@dataclass(frozen=True)
class Block:
    """Some of the people and all that they do."""

    index: int
    seed: int
    people: People
    ids: Identifiers
    orders: purchases.Orders
    lines: purchases.Lines
    subscriptions: mailing.Subscriptions
    messages: mailing.Messages
    exposures: dict[str, Ints]
    visits: browsing.Visits
    events: clickstream.Events
    checkouts: clickstream.Checkouts
    consents: permissions.Consents
    contacts: permissions.Contacts
    feedback: permissions.Feedback
    prevented: effects.Prevented
    watchers: effects.Watchers
    switches: choices.Switches


@dataclass(frozen=True)
class World:
    """A shop of `people` people in the `months` before a date; blocks are drawn when asked for."""

    people: int
    seed: int
    as_of: datetime
    troubles: Troubles = field(default_factory=Troubles)
    months: int = MONTHS
    block_size: int = BLOCK

    @cached_property
    def calendar(self) -> Calendar:
        """The months that the world lasts."""
        return Calendar.until(self.as_of, self.months)

    @cached_property
    def shelf(self) -> Shelf:
        """What the products cost and whether they can be bought, from when to when."""
        return Shelf(self.calendar.end)

    @cached_property
    def _only_block(self) -> Block:
        return make_block(self, 0)

    @property
    def block_count(self) -> int:
        """How many blocks the people fill."""
        return -(-self.people // self.block_size)

    def block(self, index: int) -> Block:
        """One block; a small world keeps its only one."""
        return self._only_block if self.block_count == 1 else make_block(self, index)

    def blocks(self) -> Iterator[Block]:
        """Every block in turn."""
        return map(self.block, range(self.block_count))


def make_world(
    people: int = DEFAULT_PEOPLE,
    seed: int = 0,
    as_of: datetime = DEFAULT_AS_OF,
    troubles: Troubles | None = None,
    months: int = MONTHS,
) -> World:
    """A world of this many people and months. `as_of` is taken as UTC."""
    if people < 1 or months < 1:
        raise ValueError("a world needs at least one person and one month")
    as_of = as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of.astimezone(UTC)
    as_of = as_of.replace(minute=0, second=0, microsecond=0)
    return World(people, seed, as_of, troubles or Troubles(), months)


def make_block(world: World, index: int) -> Block:
    """Draw one block. Each part has its own stream of chance, so a change to one stays there."""

    def stream(part: int) -> np.random.Generator:
        return np.random.default_rng([world.seed, index, part])

    calendar, troubles = world.calendar, world.troubles
    first_id = index * world.block_size
    n = min(world.block_size, world.people - first_id)
    people = make_people(stream(0), first_id, n, calendar, troubles)
    ids = make_identifiers(stream(1), world.seed, people, calendar, troubles)
    orders = purchases.make_orders(stream(2), people, ids, calendar, troubles)
    prices = np.array([product.price for product in catalogue.products()], dtype=np.int64)
    lines = purchases.make_lines(stream(3), orders, people, prices)
    subs = mailing.make_subscriptions(stream(4), people, ids, orders, calendar, troubles)
    campaigns, exposures = mailing.send_campaigns(stream(5), people, subs, calendar, troubles)
    visits = _visits_before_mail(
        stream(6), people, ids, orders, subs, exposures, calendar, troubles
    )
    happened = effects.happen(
        stream, people, ids, orders, lines, visits, exposures, mailing.campaigns(calendar),
        calendar, troubles, world.shelf,
    )  # fmt: skip
    orders, visits = happened.orders, happened.visits
    feedback = permissions.make_feedback(stream(12), orders, calendar)
    lines, switches = choices.choose(
        stream(13), people, orders, happened.lines, feedback, world.shelf
    )
    automatic = mailing.send_automatic(stream(7), people, subs, orders, visits, calendar, troubles)
    messages = mailing.Messages.joined(campaigns, automatic)
    clicked = np.flatnonzero(messages.clicked > 0)
    visits = browsing.Visits.joined(
        visits,
        browsing.click_visits(
            stream(8),
            ids,
            messages.person[clicked],
            messages.email[clicked],
            messages.clicked[clicked],
            messages.campaign[clicked],
        ),
    )
    events, checkouts = clickstream.make_events(
        stream(9), visits, people, orders, lines, calendar, troubles
    )
    return Block(
        index=index,
        seed=world.seed,
        people=people,
        ids=ids,
        orders=orders,
        lines=lines,
        subscriptions=subs,
        messages=messages,
        exposures=exposures,
        visits=visits,
        events=events,
        checkouts=checkouts,
        consents=permissions.make_consents(
            stream(10), people, ids, orders, subs, calendar, troubles
        ),
        contacts=permissions.make_contacts(stream(11), ids, orders, subs, calendar),
        feedback=permissions.about(feedback, lines),
        prevented=happened.prevented,
        watchers=happened.watchers,
        switches=switches,
    )


def _visits_before_mail(
    rng: np.random.Generator,
    people: People,
    ids: Identifiers,
    orders: purchases.Orders,
    subs: mailing.Subscriptions,
    exposures: dict[str, Ints],
    calendar: Calendar,
    troubles: Troubles,
) -> browsing.Visits:
    """Every visit that is not a click in a message."""
    at_home = (subs.source == mailing.FORM) & (subs.since >= calendar.start)
    caused = np.flatnonzero(
        (exposures["caused_visit_at"] > 0) & (exposures["caused_visit_at"] < calendar.end)
    )
    return browsing.Visits.joined(
        browsing.order_visits(rng, ids, orders),
        browsing.own_visits(rng, people, ids, calendar),
        browsing.signup_visits(
            rng, ids, subs.person[at_home], subs.email[at_home], subs.since[at_home]
        ),
        browsing.plain_visits(
            rng, ids, exposures["person"][caused], exposures["caused_visit_at"][caused]
        ),
        browsing.kiosk_visits(rng, people, ids, calendar, troubles),
        browsing.machine_visits(rng, ids, calendar),
    )
