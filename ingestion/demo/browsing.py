"""The pretend shop's visits: around orders, of their own accord, out of messages, by robots.

Belongs here: one row per visit with its device, source and how far it goes. Does not belong here:
the single events of a visit (clickstream).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingestion.demo import catalogue
from ingestion.demo.calendar import DAY, HOUR, Calendar, Floats, Ints, joined
from ingestion.demo.identifiers import (
    BOT,
    INTERNAL,
    KIOSK,
    MAIN,
    NEWSLETTER,
    NOBODY,
    Identifiers,
)
from ingestion.demo.people import ANONYMOUS, Bools, People
from ingestion.demo.purchases import Orders, product_by
from ingestion.demo.troubles import Troubles

BROWSE, WISHLIST, CART, CHECKOUT, ORDER = range(5)
SOURCES = (
    "direct",
    "organic_search",
    "paid_search",
    "paid_social",
    "organic_social",
    "referral",
    "affiliate",
    "display",
    "sms",
    "email",
)
DIRECT, EMAIL_SOURCE = 0, 9
_SOURCE_SHARE = np.array([0.36, 0.24, 0.13, 0.08, 0.06, 0.05, 0.03, 0.03, 0.02, 0.0])
NO_SIGN, LOGIN_SIGN, EMAIL_SIGN = range(3)


@dataclass(frozen=True)
class Visits:
    """One row per visit. `email` is the address given during it (a row of the address list)."""

    person: Ints
    device: Ints
    start: Ints
    depth: Ints
    views: Ints
    source: Ints
    campaign: Ints
    order: Ints
    sign: Ints
    email: Ints
    login: Ints

    def __len__(self) -> int:
        """How many visits."""
        return len(self.person)

    @classmethod
    def joined(cls, *parts: Visits) -> Visits:
        """All visits of the parts, in time order."""
        return joined(cls, parts, "start", "person", "device")


def _visits(n: int, **columns: Ints | Bools) -> Visits:
    defaults = {"source": DIRECT, "depth": BROWSE, "sign": NO_SIGN, "views": 1}
    full = {
        name: np.full(n, defaults.get(name, NOBODY), dtype=np.int64)
        for name in Visits.__dataclass_fields__
    }
    return Visits(**(full | {name: np.asarray(c, dtype=np.int64) for name, c in columns.items()}))


def looks(visits: Visits, people: People) -> tuple[Ints, Ints, Ints]:
    """Each product view: its visit, its place in it, the product.

    A function of the visit alone and no draw, so that what somebody looked at is known before all
    that happens afterwards is.
    """
    visit = np.repeat(np.arange(len(visits)), visits.views)
    position = np.arange(len(visit)) - (np.cumsum(visits.views) - visits.views)[visit]
    known = visits.person >= 0
    own = (_chances(visits, 0) * len(catalogue.CATEGORIES)).astype(np.int64)
    taste = np.where(known, people.interest[visits.person], own)[visit]
    stirred = [_chances(visits, part, visit, position) for part in (1, 2, 3)]
    return visit, position, product_by(taste, *stirred)


def _chances(
    visits: Visits, part: int, visit: Ints | slice = slice(None), position: Ints | int = 0
) -> Floats:
    """A number from 0 to 1 for each, well mixed (the finishing steps of splitmix64)."""
    mixed = visits.start[visit].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed += visits.device[visit].astype(np.uint64) * np.uint64(0xD1342543DE82EF95)
    mixed += np.asarray(position * 4 + part).astype(np.uint64) * np.uint64(0x2545F4914F6CDD1D)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2**53


def device_for(
    rng: np.random.Generator, ids: Identifiers, person: Ints, moment: Ints, *, family: float = 0.2
) -> Ints:
    """A device the person holds at that moment; a forgotten cookie is never used again."""
    n = len(person)
    lost = ids.cookie_lost[person]
    usable = ids.device_count[person] - (lost >= 0)
    pick = (rng.random(n) ** 1.6 * usable).astype(np.int64)
    # The first device before the cookie was lost; its last sibling stands for it afterwards.
    replaced = (lost >= 0) & (pick == 0) & (moment > lost)
    pick = np.where(replaced, ids.device_count[person] - 1, pick)
    device = ids.first_device[person] + pick
    tablet = ids.family_device[person]
    return np.where((tablet >= 0) & (rng.random(n) < family), tablet, device)


def order_visits(rng: np.random.Generator, ids: Identifiers, orders: Orders) -> Visits:
    """The visit in which each online order was placed."""
    rows = np.flatnonzero(orders.is_online & ~orders.is_test)
    person, placed = orders.person[rows], orders.placed[rows]
    n = len(rows)
    login = np.where(orders.is_signed_in[rows], ids.login[person], NOBODY)
    second = ids.second_login[person]
    login = np.where((second >= 0) & (login >= 0) & (rng.random(n) < 0.4), second, login)
    email = np.maximum(orders.email[rows], NOBODY)
    return _visits(
        n,
        person=person,
        device=device_for(rng, ids, person, placed),
        start=placed - rng.integers(240, 1500, n),
        depth=np.full(n, ORDER),
        views=1 + rng.poisson(1.2, n),
        source=rng.choice(len(SOURCES), n, p=_SOURCE_SHARE),
        order=rows,
        sign=np.where(login >= 0, LOGIN_SIGN, np.where(email >= 0, EMAIL_SIGN, NO_SIGN)),
        email=np.where(login >= 0, ids.email[MAIN][person], email),
        login=login,
    )


def own_visits(
    rng: np.random.Generator, people: People, ids: Identifiers, calendar: Calendar
) -> Visits:
    """Visits that nobody caused: some look, some put things into a cart and leave."""
    since = np.maximum(people.joined, calendar.start)
    days = np.maximum(people.left - since, DAY) / DAY
    mean = np.where(people.kind == ANONYMOUS, 0.7, people.visit_rate * days)
    is_new = people.joined >= calendar.start
    count = rng.poisson(mean) + (is_new | (people.kind == ANONYMOUS))
    person = np.repeat(np.arange(len(people)), count)
    n = len(person)
    start = calendar.draw(rng, since[person], np.maximum(people.left, since + HOUR)[person], n)
    first = np.unique(person, return_index=True)[1]
    start[first] = np.where(is_new[person[first]], people.joined[person[first]], start[first])
    depth = rng.choice(4, n, p=[0.78, 0.05, 0.12, 0.05])
    depth = np.where((people.kind[person] == ANONYMOUS) & (depth == CHECKOUT), CART, depth)
    signs_in = (ids.login[person] >= 0) & (rng.random(n) < 0.25)
    gives_email = (depth == CHECKOUT) & ~signs_in
    return _visits(
        n,
        person=person,
        device=device_for(rng, ids, person, start),
        start=np.minimum(start, calendar.end - 2 * HOUR),
        depth=depth,
        views=rng.poisson(1.7, n) + (depth > BROWSE),
        source=rng.choice(len(SOURCES), n, p=_SOURCE_SHARE),
        sign=np.where(signs_in, LOGIN_SIGN, np.where(gives_email, EMAIL_SIGN, NO_SIGN)),
        email=np.where(gives_email | signs_in, ids.email[MAIN][person], NOBODY),
        login=np.where(signs_in, ids.login[person], NOBODY),
    )


def signup_visits(
    rng: np.random.Generator, ids: Identifiers, person: Ints, email: Ints, moment: Ints
) -> Visits:
    """The visit in which somebody left an address in the newsletter box."""
    n = len(person)
    return _visits(
        n,
        person=person,
        device=device_for(rng, ids, person, moment, family=0.05),
        start=moment - rng.integers(30, 400, n),
        views=rng.poisson(0.8, n),
        source=rng.choice(len(SOURCES), n, p=_SOURCE_SHARE),
        sign=np.full(n, EMAIL_SIGN),
        email=email,
    )


def click_visits(
    rng: np.random.Generator,
    ids: Identifiers,
    person: Ints,
    email: Ints,
    clicked: Ints,
    campaign: Ints,
) -> Visits:
    """The visit behind a click in a message; the site sometimes learns the address from it."""
    n = len(person)
    recognised = rng.random(n) < 0.35
    depth = rng.choice(4, n, p=[0.72, 0.06, 0.16, 0.06])
    recognised |= depth == CHECKOUT
    return _visits(
        n,
        person=person,
        device=device_for(rng, ids, person, clicked, family=0.1),
        start=clicked + rng.integers(2, 20, n),
        depth=depth,
        views=1 + rng.poisson(1.8, n),
        source=np.full(n, EMAIL_SOURCE),
        campaign=campaign,
        sign=np.where(recognised, EMAIL_SIGN, NO_SIGN),
        email=np.where(recognised, email, NOBODY),
    )


def plain_visits(rng: np.random.Generator, ids: Identifiers, person: Ints, start: Ints) -> Visits:
    """Short visits that a campaign caused without a click."""
    n = len(person)
    return _visits(
        n,
        person=person,
        device=device_for(rng, ids, person, start),
        start=start,
        views=1 + rng.poisson(0.8, n),
    )


def kiosk_visits(
    rng: np.random.Generator,
    people: People,
    ids: Identifiers,
    calendar: Calendar,
    troubles: Troubles,
) -> Visits:
    """People who sign in, or leave an address, on the shared tablet of a shop floor."""
    kiosks = np.flatnonzero(ids.device_role == KIOSK)
    person = np.flatnonzero(people.known & (rng.random(len(people)) < troubles.kiosk_sign_in))
    since = np.maximum(people.joined[person], calendar.start)
    here = since < calendar.end - DAY
    person, since = person[here], since[here]
    n = len(person) if len(kiosks) else 0
    person, since = person[:n], since[:n]
    has_login = ids.login[person] >= 0
    old_email = ids.email[NEWSLETTER][person]
    moment = calendar.draw(rng, since, np.maximum(people.left[person], since + DAY), n)
    return _visits(
        n,
        person=person,
        device=kiosks[rng.integers(0, max(len(kiosks), 1), n)] if n else person,
        start=calendar.in_shop_hours(rng, moment),
        views=1 + rng.poisson(1.0, n),
        sign=np.where(has_login, LOGIN_SIGN, EMAIL_SIGN),
        email=np.where(old_email >= 0, old_email, ids.email[MAIN][person]),
        login=np.where(has_login, ids.login[person], NOBODY),
    )


def stranger_visits(rng: np.random.Generator, devices: Ints, calendar: Calendar) -> Visits:
    """One or two visits on each device of somebody who never says a name."""
    device = np.repeat(devices, 1 + (rng.random(len(devices)) < 0.3))
    n = len(device)
    depth = rng.choice(3, n, p=[0.83, 0.05, 0.12])
    return _visits(
        n,
        device=device,
        start=np.minimum(
            calendar.draw(rng, calendar.start, calendar.end, n), calendar.end - 2 * HOUR
        ),
        depth=depth,
        views=rng.poisson(1.7, n) + (depth > BROWSE),
        source=rng.choice(len(SOURCES), n, p=_SOURCE_SHARE),
    )


def machine_visits(rng: np.random.Generator, ids: Identifiers, calendar: Calendar) -> Visits:
    """Robots that walk the catalogue, and the shop's own staff at work."""
    robots = np.repeat(np.flatnonzero(ids.device_role == BOT), 6)
    staff = np.repeat(np.flatnonzero(ids.device_role == INTERNAL), 10)
    device = np.concatenate([robots, staff])
    n = len(device)
    return _visits(
        n,
        device=device,
        start=calendar.draw(rng, calendar.start, calendar.end - 2 * HOUR, n),
        views=np.where(np.arange(n) < len(robots), rng.integers(5, 30, n), rng.integers(1, 6, n)),
    )
