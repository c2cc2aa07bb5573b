"""The pretend shop after its first moment: what the same people go on to do, for a year.

Belongs here: drawing that year, and what of it is known at a moment within it. Does not belong
here: the world until its first moment (world), files of a day (write_days), or the shop's clock.

The year is drawn at once from the world's seed and stands behind the world's own rows, which stay
as they are. So a day is the same whenever, and however often, it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

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
from ingestion.demo.calendar import DAY, HOUR, Calendar, Ints, rows_of
from ingestion.demo.identifiers import MAIN, NOBODY, PERSONAL, TYPO, Identifiers, device_names
from ingestion.demo.people import ANONYMOUS, SUBSCRIBER, People
from ingestion.demo.troubles import Troubles
from ingestion.demo.world import Block, World

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
DAYS = 365
# Shares of people, subscribers and buyers
_STRANGERS_A_DAY = 0.002
_WITHDRAWN_A_YEAR = 0.10
_JOINS_THE_LIST = 0.20
_RETURNS_WITHIN = 25 * DAY
_STREAMS = 100  # the world's own streams of chance have lower numbers


@dataclass(frozen=True)
class Later:
    """A world and the year that follows its first moment."""

    world: World

    @cached_property
    def calendar(self) -> Calendar:
        """The year."""
        end = self.world.calendar.end
        return Calendar.between(end, end + DAYS * DAY)

    @cached_property
    def span(self) -> Calendar:
        """The world's months and the year."""
        return Calendar.between(self.world.calendar.start, self.calendar.end)

    @cached_property
    def letters(self) -> list[mailing.Campaign]:
        """Every campaign, in time order."""
        own = self.world.calendar
        return mailing.campaigns(own) + mailing.later_campaigns(own, self.calendar)

    def block(self, index: int) -> Block:
        """One block with the whole year behind its own rows."""
        return _lived_on(self, self.world.block(index))


def known_at(block: Block, moment: int) -> Block:
    """What the shop's systems know at a moment: nothing placed, sent or changed later.

    Rows stand in time order, so that each keeps its place in every longer part.
    """
    kept = int(np.searchsorted(block.orders.placed, moment))
    orders = rows_of(block.orders, slice(0, kept))
    orders = replace(
        orders,
        cancelled=_until(orders.cancelled, moment),
        refunded=_until(orders.refunded, moment),
    )
    lines = rows_of(block.lines, block.lines.order < kept)
    sent = rows_of(block.messages, slice(0, int(np.searchsorted(block.messages.sent, moment))))
    reactions = ("opened", "machine_opened", "clicked", "reported", "unsubscribed")
    subscriptions = rows_of(block.subscriptions, block.subscriptions.since < moment)
    ended = subscriptions.ended
    return replace(
        block,
        orders=orders,
        lines=replace(
            lines, returned=np.where(orders.refunded[lines.order] > 0, lines.returned, 0)
        ),
        messages=replace(sent, **{name: _until(getattr(sent, name), moment) for name in reactions}),
        subscriptions=replace(subscriptions, ended=np.where(ended < moment, ended, mailing.NEVER)),
        consents=rows_of(block.consents, block.consents.occurred < moment),
        events=rows_of(block.events, block.events.delivered < moment),
        checkouts=rows_of(block.checkouts, block.checkouts.began < moment),
        feedback=rows_of(block.feedback, block.feedback.occurred < moment),
    )


def _lived_on(later: Later, base: Block) -> Block:
    """Draw the year of a block's people."""

    def stream(part: int) -> np.random.Generator:
        return np.random.default_rng([later.world.seed, base.index, _STREAMS + part])

    calendar = later.calendar
    troubles = replace(later.world.troubles, test_order=0.0, missing_rate=0.0)
    people = _still_here(base.people, calendar)
    ids = _with_strangers(stream(1), later.world, base, calendar)
    orders = purchases.make_orders(
        stream(2), people, ids, calendar, troubles, _buys(stream(3), people, calendar),
        len(base.orders),
    )  # fmt: skip
    prices = np.array([product.price for product in catalogue.products()], dtype=np.int64)
    lines = purchases.make_lines(stream(4), orders, people, prices)
    subs = _after(base.subscriptions, _joins(stream(5), base, ids, orders))
    letters = [letter for letter in later.letters if letter.sent >= calendar.start]
    campaigns, exposures = mailing.send_campaigns(
        stream(6), people, subs, calendar, troubles, letters
    )
    visits = _visits_before_mail(stream(7), people, ids, orders, exposures, calendar, base)
    happened = effects.happen(
        stream, people, ids, orders, lines, visits, exposures, letters, calendar, troubles,
        later.world.shelf, len(base.orders), browsing.Visits.joined(base.visits, visits),
    )  # fmt: skip
    orders, visits = happened.orders, happened.visits
    visits = replace(visits, start=np.maximum(visits.start, calendar.start))
    returned, sent_back = _returns(stream(12), base, calendar, troubles)
    all_orders = _after(returned, orders)
    feedback = permissions.make_feedback(stream(13), all_orders, calendar)
    feedback = rows_of(feedback, feedback.occurred >= calendar.start)
    new_lines = replace(happened.lines, order=happened.lines.order + len(base.orders))
    all_lines, switches = choices.choose(
        stream(14), people, all_orders, _after(sent_back, new_lines), feedback,
        later.world.shelf, base.switches, len(base.orders),
    )  # fmt: skip
    lines = rows_of(all_lines, slice(len(base.lines.order), None))
    lines = replace(lines, order=lines.order - len(base.orders))
    automatic = mailing.send_automatic(stream(8), people, subs, orders, visits, calendar, troubles)
    messages = mailing.Messages.joined(campaigns, automatic)
    messages = rows_of(messages, messages.sent < calendar.end)
    clicks = np.flatnonzero(messages.clicked > 0)
    visits = browsing.Visits.joined(
        visits,
        browsing.click_visits(
            stream(9), ids, messages.person[clicks], messages.email[clicks],
            messages.clicked[clicks], messages.campaign[clicks],
        ),
    )  # fmt: skip
    events, begun = clickstream.make_events(
        stream(10), visits, people, orders, lines, calendar, troubles
    )
    events = rows_of(events, events.delivered >= calendar.start)
    consents = _spoken(stream(11), base, subs, calendar)
    order = np.where(visits.order >= 0, visits.order + len(base.orders), NOBODY)
    return replace(
        base,
        ids=ids,
        orders=all_orders,
        lines=all_lines,
        subscriptions=subs,
        messages=_after(base.messages, messages),
        exposures={
            name: np.concatenate([base.exposures[name], exposures[name]]) for name in exposures
        },
        visits=_after(base.visits, replace(visits, order=order)),
        events=_after(base.events, replace(events, visit=events.visit + len(base.visits))),
        checkouts=_after(base.checkouts, replace(begun, visit=begun.visit + len(base.visits))),
        consents=_after(base.consents, consents),
        feedback=_after(base.feedback, permissions.about(feedback, all_lines)),
        switches=switches,
    )


def _still_here(people: People, calendar: Calendar) -> People:
    """The same people; whoever has lost interest does nothing more.

    Who never said a name is left to the strangers: a visitor without one rarely comes back.
    """
    here = people.known & (people.left >= calendar.start)
    return replace(
        people,
        kind=np.where(people.kind == ANONYMOUS, SUBSCRIBER, people.kind),
        left=np.where(here, np.minimum(people.leaves, calendar.end), people.left),
        order_rate=np.where(here, people.order_rate, 0.0),
        visit_rate=np.where(here, people.visit_rate, 0.0),
    )


def _with_strangers(
    rng: np.random.Generator, world: World, base: Block, calendar: Calendar
) -> Identifiers:
    """The names, with devices that nobody has seen before; a mistyped address is not typed again.

    A stranger is a device and no person of the truth, as a robot is.
    """
    ids = base.ids
    days = (calendar.end - calendar.start) // DAY
    n = int(rng.poisson(_STRANGERS_A_DAY * len(base.people) * days))
    before = len(ids.device_value)
    names = device_names(world.seed, base.people.first_id, before + n)[before:]
    return replace(
        ids,
        email=ids.email | {TYPO: np.full(len(base.people), NOBODY, dtype=np.int64)},
        device_value=np.concatenate([ids.device_value, names]),
        device_role=np.concatenate([ids.device_role, np.full(n, PERSONAL)]),
        device_agent=np.concatenate(
            [ids.device_agent, rng.choice(5, n, p=[0.34, 0.24, 0.2, 0.16, 0.06])]
        ),
        device_gpc=np.concatenate([ids.device_gpc, rng.random(n) < world.troubles.gpc]),
    )


def _buys(rng: np.random.Generator, people: People, calendar: Calendar) -> tuple[Ints, Ints]:
    """Who orders when, in a rhythm that goes on: of the first gap some is over."""
    person = np.flatnonzero(people.order_rate > 0)
    shape, rate = people.gap_shape[person], people.order_rate[person]
    # A moment lies in a long gap more often than in a short one.
    gap = rng.gamma(shape + 1, 1 / (shape * rate))
    return purchases.rhythm(rng, people, person, gap * rng.random(len(person)), calendar)


def _joins(
    rng: np.random.Generator, base: Block, ids: Identifiers, orders: purchases.Orders
) -> mailing.Subscriptions:
    """Buyers who tick the box at the checkout and stand in no list yet."""
    first = np.unique(orders.person, return_index=True)[1]
    person = orders.person[first]
    asked = orders.is_online[first] & ~np.isin(person, base.subscriptions.person)
    rows = np.sort(first[asked & (rng.random(len(first)) < _JOINS_THE_LIST)])
    n = len(rows)
    return mailing.Subscriptions(
        person=orders.person[rows],
        email=ids.email[MAIN][orders.person[rows]],
        since=orders.placed[rows],
        source=np.full(n, mailing.CHECKOUT_BOX),
        dormant_from=np.full(n, mailing.NEVER),
        ended=np.full(n, mailing.NEVER),
        is_unproven=np.zeros(n, dtype=np.bool_),
        expires=np.zeros(n, dtype=np.bool_),
    )


def _visits_before_mail(
    rng: np.random.Generator,
    people: People,
    ids: Identifiers,
    orders: purchases.Orders,
    exposures: dict[str, Ints],
    calendar: Calendar,
    base: Block,
) -> browsing.Visits:
    """Every visit that is not a click in a message, none of them begun before the year."""
    caused = np.flatnonzero(
        (exposures["caused_visit_at"] > 0) & (exposures["caused_visit_at"] < calendar.end)
    )
    strangers = np.arange(len(base.ids.device_value), len(ids.device_value))
    visits = browsing.Visits.joined(
        browsing.order_visits(rng, ids, orders),
        browsing.own_visits(rng, people, ids, calendar),
        browsing.plain_visits(
            rng, ids, exposures["person"][caused], exposures["caused_visit_at"][caused]
        ),
        browsing.stranger_visits(rng, strangers, calendar),
        browsing.machine_visits(rng, base.ids, calendar),
    )
    return replace(visits, start=np.maximum(visits.start, calendar.start))


def _spoken(
    rng: np.random.Generator, base: Block, subs: mailing.Subscriptions, calendar: Calendar
) -> permissions.Consents:
    """Yes at the checkout; no by a link in a message, or in the preference centre."""
    n, old = len(subs.person), len(base.subscriptions.person)
    new = np.arange(old, n)
    is_listed = np.arange(n) < old
    is_listed &= (subs.ended >= calendar.start) & ~subs.is_unproven
    left = np.flatnonzero(is_listed & (subs.ended < mailing.NEVER) & (rng.random(n) < 0.5))
    quiet = is_listed & (subs.ended == mailing.NEVER) & (rng.random(n) < _WITHDRAWN_A_YEAR)
    quiet_rows = np.flatnonzero(quiet)
    away = np.concatenate([left, quiet_rows])
    since = np.full(len(quiet_rows), calendar.start)
    drawn = calendar.draw(rng, since, np.full(len(quiet_rows), calendar.end), len(quiet_rows))
    ends = np.minimum(np.concatenate([subs.ended[left] + 60, drawn]), calendar.end - 1)
    email = permissions.EMAIL_CHANNEL
    return permissions.Consents.joined(
        permissions.some_consents(
            len(new),
            person=subs.person[new],
            email=subs.email[new],
            channel=np.full(len(new), email),
            status=np.full(len(new), permissions.GRANTED),
            occurred=subs.since[new],
            source=subs.source[new],
        ),
        permissions.some_consents(
            len(away),
            person=subs.person[away],
            email=subs.email[away],
            channel=np.full(len(away), email),
            status=np.full(len(away), permissions.REVOKED),
            occurred=ends,
            source=np.full(len(away), permissions.PREFERENCES),
        ),
    )


def _returns(
    rng: np.random.Generator, base: Block, calendar: Calendar, troubles: Troubles
) -> tuple[purchases.Orders, purchases.Lines]:
    """Some of the latest online orders of before come back in the year."""
    orders, lines = base.orders, base.lines
    n = len(orders)
    kept = orders.is_online & ~orders.is_test & (orders.cancelled == 0) & (orders.refunded == 0)
    latest = orders.placed >= calendar.start - _RETURNS_WITHIN
    comes_back = kept & latest & (rng.random(n) < troubles.returned / 2)
    moment = calendar.start + rng.integers(HOUR, _RETURNS_WITHIN, n)
    is_sent = comes_back[lines.order] & (lines.place == 0)
    return (
        replace(orders, refunded=np.where(comes_back, moment, orders.refunded)),
        replace(lines, returned=np.where(is_sent, lines.quantity, lines.returned)),
    )


def _after(first: T, second: T) -> T:
    """The rows of both, the second behind the first; new columns, so that neither changes."""
    return type(first)(
        **{
            field.name: np.concatenate([getattr(first, field.name), getattr(second, field.name)])
            for field in fields(first)
        }
    )


def _until(moments: Ints, moment: int) -> Ints:
    return np.where(moments < moment, moments, 0)
