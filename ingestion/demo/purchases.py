"""What the pretend shop's people buy: orders and their lines, online and at the till.

Belongs here: who orders what, when, under which identifiers, and what comes back. Does not belong
here: the visit around an online order (browsing) or the shape of an order in a file or an API.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingestion.demo import catalogue
from ingestion.demo.calendar import DAY, HOUR, Calendar, Floats, Ints, is_sale
from ingestion.demo.identifiers import FAR_FUTURE, MAIN, NOBODY, OFFICE, TYPO, WORK, Identifiers
from ingestion.demo.people import Bools, People, pieces
from ingestion.demo.troubles import Troubles

CARD, WALLET, CASH, VOUCHER = range(4)
PAYMENTS = ("card", "paypal", "cash", "gift_card")
NOT_GIVEN, PLACEHOLDER = -1, -2
DISCOUNTS = (0, 10, 15, 20)
_OWN_TASTE = 0.6


@dataclass(frozen=True)
class Orders:
    """One row per order, in time order; money in minor units of the order's currency.

    `cause` is what made somebody order who would not have (effects); -1: their own accord.
    """

    number: Ints
    person: Ints
    placed: Ints
    is_online: Bools
    email: Ints
    phone: Ints
    card: Ints
    payment: Ints
    currency: Ints
    store: Ints
    discount_percent: Ints
    shipping: Ints
    cancelled: Ints
    refunded: Ints
    is_test: Bools
    is_signed_in: Bools
    shows_loyalty: Bools
    name_is_initial: Bools
    cause: Ints

    def __len__(self) -> int:
        """How many orders."""
        return len(self.number)


@dataclass(frozen=True)
class Lines:
    """One row per order line; `order` is the row number in `Orders`."""

    order: Ints
    place: Ints
    product: Ints
    quantity: Ints
    price: Ints
    discount: Ints
    returned: Ints


def make_orders(
    rng: np.random.Generator,
    people: People,
    ids: Identifiers,
    calendar: Calendar,
    troubles: Troubles,
    moments: tuple[Ints, Ints] | None = None,
    earlier: int = 0,
    cause: Ints | None = None,
) -> Orders:
    """Draw every order that was placed before the calendar ends.

    Args:
        rng: the stream of chance.
        people: who buys.
        ids: under which names.
        calendar: the time that the shop lasts.
        troubles: how often things go wrong.
        moments: who orders when, where that is decided already.
        earlier: how many orders of these people have a number already.
        cause: what made them order, where something did.
    """
    person, placed = moments or _moments(rng, people, calendar)
    n = len(person)
    is_online = rng.random(n) < people.online_share[person]
    placed = np.where(is_online, placed, calendar.in_shop_hours(rng, placed))
    order = np.lexsort((person, placed))
    person, placed, is_online = person[order], placed[order], is_online[order]
    cause = np.full(n, NOBODY) if cause is None else cause[order]
    payment = _payments(rng, is_online)
    no_identity = ~is_online & (rng.random(n) < troubles.no_identity_receipt)
    payment = np.where(no_identity, CASH, payment)
    is_test = is_online & (rng.random(n) < troubles.test_order)
    if troubles.test_order and not is_test.any() and is_online.any():
        is_test[np.flatnonzero(is_online)[0]] = True
    cancelled = np.where(
        is_online & (rng.random(n) < troubles.cancelled), placed + rng.integers(HOUR, 2 * DAY, n), 0
    )
    returns = rng.random(n) < np.where(is_online, troubles.returned, troubles.returned / 2)
    refunded = np.where(returns & (cancelled == 0), placed + rng.integers(3 * DAY, 25 * DAY, n), 0)
    return Orders(
        number=people.first_id * 40 + earlier + np.arange(n),
        person=person,
        placed=placed,
        is_online=is_online,
        email=_emails(rng, person, is_online, no_identity, ids, troubles),
        phone=_phones(rng, person, placed, is_online, no_identity, ids, troubles),
        card=_cards(rng, person, placed, payment, ids),
        payment=payment,
        currency=_currencies(rng, people.country[person], is_online, troubles),
        store=np.where(is_online, NOBODY, _stores(people, person, placed)),
        discount_percent=_discounts(rng, placed),
        shipping=np.where(is_online & (rng.random(n) < 0.7), 395, 0),
        cancelled=np.where(cancelled < calendar.end, cancelled, 0),
        refunded=np.where(refunded < calendar.end, refunded, 0),
        is_test=is_test,
        is_signed_in=is_online & (ids.login[person] >= 0) & (rng.random(n) < 0.7),
        shows_loyalty=~is_online & ~no_identity & (rng.random(n) < 0.75),
        name_is_initial=rng.random(n) < troubles.name_variant,
        cause=cause,
    )


def _stores(people: People, person: Ints, placed: Ints) -> Ints:
    """The shop of the household's town; on one day in five another, by the day alone."""
    away = (placed // DAY * 31 + people.first_id + person * 17) % 5 == 0
    town = people.household[person] + away * (1 + person % (len(catalogue.STORES) - 1))
    return np.asarray(town % len(catalogue.STORES), dtype=np.int64)


def _moments(rng: np.random.Generator, people: People, calendar: Calendar) -> tuple[Ints, Ints]:
    """A first order soon after joining, then more in the person's own rhythm until they leave."""
    first_seen = np.maximum(people.joined, calendar.start)
    wait = rng.exponential(12 * DAY, len(people)).astype(np.int64)
    first = first_seen + wait
    buys = np.flatnonzero(people.buyer & (first < people.left))
    return rhythm(rng, people, buys, calendar.busy(first[buys]), calendar)


def rhythm(
    rng: np.random.Generator, people: People, person: Ints, at: Floats, calendar: Calendar
) -> tuple[Ints, Ints]:
    """Who orders when: each first at a moment in busy days, then gap after gap until they leave.

    A gap has the person's own mean and regularity, and is shorter when the shop is busy.
    """
    until = calendar.busy(people.left)
    persons, moments = [person[:0]], [person[:0]]
    while len(person):
        kept = at < until[person]
        person, at = person[kept], at[kept]
        persons.append(person)
        moments.append(calendar.moment(at))
        shape = people.gap_shape[person]
        at = at + rng.gamma(shape, 1 / (shape * people.order_rate[person]))
    return np.concatenate(persons), np.concatenate(moments)


def _discounts(rng: np.random.Generator, placed: Ints) -> Ints:
    """Percent off: in a sale most orders have some."""
    usual = rng.choice(len(DISCOUNTS), len(placed), p=[0.8, 0.1, 0.06, 0.04])
    in_sale = rng.choice(len(DISCOUNTS), len(placed), p=[0.25, 0.05, 0.1, 0.6])
    return np.array(DISCOUNTS)[np.where(is_sale(placed), in_sale, usual)]


def _payments(rng: np.random.Generator, is_online: Bools) -> Ints:
    n = len(is_online)
    online = rng.choice(4, n, p=[0.74, 0.2, 0.0, 0.06])
    till = rng.choice(4, n, p=[0.75, 0.0, 0.23, 0.02])
    return np.where(is_online, online, till).astype(np.int64)


def _emails(
    rng: np.random.Generator,
    person: Ints,
    is_online: Bools,
    no_identity: Bools,
    ids: Identifiers,
    troubles: Troubles,
) -> Ints:
    n = len(person)
    email = ids.email[MAIN][person]
    work, office, typo = (ids.email[role][person] for role in (WORK, OFFICE, TYPO))
    email = np.where((work >= 0) & (rng.random(n) < 0.35), work, email)
    email = np.where((office >= 0) & (rng.random(n) < 0.5), office, email)
    # The typo happens once: on the person's first online order.
    online_rows = np.flatnonzero(is_online)
    first_online = online_rows[np.unique(person[online_rows], return_index=True)[1]]
    is_first = np.zeros(n, dtype=np.bool_)
    is_first[first_online] = True
    email = np.where((typo >= 0) & is_first, typo, email)
    email = np.where(is_online & (rng.random(n) < 0.02), NOT_GIVEN, email)
    gives_at_till = rng.random(n) < 0.3
    at_till = np.where(gives_at_till, email, NOT_GIVEN)
    at_till = np.where(rng.random(n) < troubles.placeholder_email, PLACEHOLDER, at_till)
    return np.where(no_identity, NOT_GIVEN, np.where(is_online, email, at_till)).astype(np.int64)


def _phones(
    rng: np.random.Generator,
    person: Ints,
    placed: Ints,
    is_online: Bools,
    no_identity: Bools,
    ids: Identifiers,
    troubles: Troubles,
) -> Ints:
    n = len(person)
    phone = phone_at(ids, person, placed)
    second = ids.second_phone[person]
    phone = np.where((second >= 0) & (rng.random(n) < 0.3), second, phone)
    passes_on = (ids.phone_from[person] > 0) | (ids.phone_until[person] < FAR_FUTURE)
    gives = rng.random(n) < np.where(passes_on, 0.9, np.where(is_online, 0.5, 0.25))
    phone = np.where(gives, phone, NOT_GIVEN)
    placeholder = ~is_online & (rng.random(n) < troubles.placeholder_phone)
    return np.where(no_identity, NOT_GIVEN, np.where(placeholder, PLACEHOLDER, phone)).astype(
        np.int64
    )


def phone_at(ids: Identifiers, person: Ints, moment: Ints) -> Ints:
    """The number a person has at a moment (numbers are given up and passed on)."""
    has = (moment >= ids.phone_from[person]) & (moment < ids.phone_until[person])
    return np.where(has, ids.phone[person], NOT_GIVEN)


def _cards(
    rng: np.random.Generator, person: Ints, placed: Ints, payment: Ints, ids: Identifiers
) -> Ints:
    new, family = ids.new_card[person], ids.family_card[person]
    card = np.where((new >= 0) & (placed > ids.card_changed[person]), new, ids.card[person])
    card = np.where((family >= 0) & (rng.random(len(person)) < 0.4), family, card)
    return np.where(payment == CARD, card, NOBODY)


def _currencies(
    rng: np.random.Generator, country: Ints, is_online: Bools, troubles: Troubles
) -> Ints:
    n = len(country)
    own = catalogue.COUNTRY_CURRENCY[country]
    currency = np.where(is_online & (rng.random(n) < troubles.foreign_currency), own, 0)
    odd = is_online & (rng.random(n) < troubles.missing_rate)
    if troubles.missing_rate and not odd.any() and is_online.any():
        odd[np.flatnonzero(is_online)[-1]] = True
    return np.where(odd, catalogue.CURRENCIES.index("SEK"), currency).astype(np.int64)


def make_lines(rng: np.random.Generator, orders: Orders, people: People, prices: Ints) -> Lines:
    """Draw the lines of every order: mostly what the person likes, and what goes with it."""
    count = 1 + rng.poisson(0.9, len(orders))
    order = np.repeat(np.arange(len(orders)), count)
    n = len(order)
    first_line = np.repeat(np.cumsum(count) - count, count)
    position = np.arange(n) - first_line
    product = draw_products(rng, people.interest[orders.person[order]])
    partner = catalogue.complement_of()[product[first_line]]
    goes_with = (position == 1) & (partner >= 0) & (rng.random(n) < catalogue.COMPLEMENT_CHANCE)
    product = np.where(goes_with, partner, product)
    quantity = 1 + rng.poisson(pieces(people.spend[orders.person[order]]) - 1)
    currency = orders.currency[order]
    price = price_in(prices[product], currency)
    discount = price * quantity * orders.discount_percent[order] // 100
    sends_back_all = (rng.random(len(orders)) < 0.6)[order]
    returned = np.where(sends_back_all | (position == 0), quantity, 0) * (
        orders.refunded[order] > 0
    )
    return Lines(order, position, product, quantity, price, discount, returned)


def price_in(pence: Ints, currency: Ints) -> Ints:
    """A price in minor units of the currency, by the shop's own price factor."""
    steps: Ints = np.round(pence * catalogue.PRICE_FACTOR[currency] / 5).astype(np.int64)
    return steps * 5


def draw_products(rng: np.random.Generator, interest: Ints) -> Ints:
    """Products for people with these favourite categories; in each, some sell far better."""
    n = len(interest)
    elsewhere = rng.integers(0, len(catalogue.CATEGORIES), n)
    category = np.where(rng.random(n) < _OWN_TASTE, interest, elsewhere)
    return _in_category(category, rng.random(n))


def product_by(interest: Ints, stays: Floats, other: Floats, which: Floats) -> Ints:
    """What `draw_products` answers, by three chances from 0 to 1 for each."""
    elsewhere = (other * len(catalogue.CATEGORIES)).astype(np.int64)
    return _in_category(np.where(stays < _OWN_TASTE, interest, elsewhere), which)


def _in_category(category: Ints, chance: Floats) -> Ints:
    position = (chance**1.6 * catalogue.PER_CATEGORY).astype(np.int64)
    return category * catalogue.PER_CATEGORY + position
