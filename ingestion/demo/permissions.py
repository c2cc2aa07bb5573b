"""What people told the pretend shop on purpose: consents, contact lists, feedback.

Belongs here: the consent log, the lists the shop keeps, answers and referrals, as numbers.
Does not belong here: what the mail system knows (mailing) or the files they are written to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ingestion.demo.calendar import DAY, HOUR, Calendar, Ints, joined
from ingestion.demo.identifiers import MAIN, NOBODY, Identifiers
from ingestion.demo.mailing import CHECKOUT_BOX, NEVER, SUBSCRIBED_BY, Subscriptions
from ingestion.demo.people import Bools, People
from ingestion.demo.purchases import Lines, Orders, phone_at
from ingestion.demo.troubles import Troubles

GRANTED, DENIED, REVOKED = range(3)
STATUSES = ("granted", "denied", "revoked")
EMAIL_CHANNEL, SMS_CHANNEL, ADS_CHANNEL = range(3)
CHANNELS = ("email", "sms", "ads")
CONSENT_SOURCES = (*SUBSCRIBED_BY, "preference_centre", "cookie_banner")
PREFERENCES, BANNER = len(SUBSCRIBED_BY), len(SUBSCRIBED_BY) + 1
SOFT_OPT_IN, CONSENT = range(2)
REVIEW = 1
BAD_SCORE = 2
_CLOSED_SHARE = 0.6
FEEDBACK = ("nps", "review", "complaint", "support", "referral", "quiz")


@dataclass(frozen=True)
class Consents:
    """One row per consent event. `email` or `phone` is the identifier; expiry 0 means never."""

    person: Ints
    email: Ints
    phone: Ints
    channel: Ints
    status: Ints
    occurred: Ints
    source: Ints
    expires: Ints
    basis: Ints

    @classmethod
    def joined(cls, *parts: Consents) -> Consents:
        """All consent events of the parts, in time order."""
        return joined(cls, parts, "occurred", "person", "channel", "status")


def some_consents(n: int, **columns: Ints) -> Consents:
    """`n` consent events with these columns; the others say that there is none."""
    fallback = {"email": NOBODY, "phone": NOBODY, "basis": CONSENT}
    full = {
        name: np.full(n, fallback.get(name, 0), dtype=np.int64)
        for name in Consents.__dataclass_fields__
    }
    return Consents(**(full | {name: np.asarray(c, dtype=np.int64) for name, c in columns.items()}))


def make_consents(
    rng: np.random.Generator,
    people: People,
    ids: Identifiers,
    orders: Orders,
    subs: Subscriptions,
    calendar: Calendar,
    troubles: Troubles,
) -> Consents:
    """The shop's own consent log: newsletter, checkout, text messages, cookie banner."""
    parts = [_newsletter(rng, subs, calendar), _refused(rng, ids, orders, subs, troubles)]
    parts += [
        _text_messages(rng, ids, orders, calendar),
        _banner(rng, people, ids, calendar),
    ]
    return Consents.joined(*parts)


def _newsletter(rng: np.random.Generator, subs: Subscriptions, calendar: Calendar) -> Consents:
    proven = np.flatnonzero(~subs.is_unproven)
    soft = (subs.source[proven] == CHECKOUT_BOX) & (rng.random(len(proven)) < 0.15)
    granted = some_consents(
        len(proven),
        person=subs.person[proven],
        email=subs.email[proven],
        channel=np.full(len(proven), EMAIL_CHANNEL),
        status=np.full(len(proven), GRANTED),
        occurred=subs.since[proven],
        source=subs.source[proven],
        expires=np.where(subs.expires[proven], subs.since[proven] + 365 * DAY, 0),
        basis=np.where(soft, SOFT_OPT_IN, CONSENT),
    )
    # Half of those who leave do so in the shop's preference centre too.
    left = proven[(subs.ended[proven] < NEVER) & (rng.random(len(proven)) < 0.5)]
    quiet = proven[(subs.ended[proven] == NEVER) & (rng.random(len(proven)) < 0.05)]
    away = np.concatenate([left, quiet])
    start = np.maximum(subs.since[quiet] + HOUR, calendar.start)
    ends = np.concatenate(
        [subs.ended[left] + 60, calendar.draw(rng, start, calendar.end, len(quiet))]
    )
    ends = np.minimum(np.maximum(ends, subs.since[away] + 60), calendar.end - 1)
    revoked = some_consents(
        len(away),
        person=subs.person[away],
        email=subs.email[away],
        channel=np.full(len(away), EMAIL_CHANNEL),
        status=np.full(len(away), REVOKED),
        occurred=ends,
        source=np.full(len(away), PREFERENCES),
    )
    return Consents.joined(granted, revoked)


def _refused(
    rng: np.random.Generator,
    ids: Identifiers,
    orders: Orders,
    subs: Subscriptions,
    troubles: Troubles,
) -> Consents:
    """Buyers who left the box empty at checkout and so said no."""
    first = np.unique(orders.person, return_index=True)[1]
    listed = np.isin(orders.person[first], subs.person)
    rows = first[~listed & (rng.random(len(first)) < troubles.consent_denied * 2)]
    return some_consents(
        len(rows),
        person=orders.person[rows],
        email=ids.email[MAIN][orders.person[rows]],
        channel=np.full(len(rows), EMAIL_CHANNEL),
        status=np.full(len(rows), DENIED),
        occurred=orders.placed[rows],
        source=np.full(len(rows), CHECKOUT_BOX),
    )


def _text_messages(
    rng: np.random.Generator, ids: Identifiers, orders: Orders, calendar: Calendar
) -> Consents:
    first = np.unique(orders.person, return_index=True)[1]
    phone = phone_at(ids, orders.person[first], orders.placed[first])
    rows = first[(phone >= 0) & (rng.random(len(first)) < 0.2)]
    phone = phone_at(ids, orders.person[rows], orders.placed[rows])
    n = len(rows)
    person, placed = orders.person[rows], orders.placed[rows]
    channel = np.full(n, SMS_CHANNEL)
    granted = some_consents(
        n,
        person=person,
        phone=phone,
        channel=channel,
        status=np.full(n, GRANTED),
        occurred=placed,
        source=np.full(n, CHECKOUT_BOX),
    )
    off = np.flatnonzero(rng.random(n) < 0.12)
    revoked = some_consents(
        len(off),
        person=person[off],
        phone=phone[off],
        channel=channel[off],
        status=np.full(len(off), REVOKED),
        occurred=calendar.draw(rng, placed[off] + HOUR, calendar.end, len(off)),
        source=np.full(len(off), PREFERENCES),
    )
    return Consents.joined(granted, revoked)


def _banner(
    rng: np.random.Generator, people: People, ids: Identifiers, calendar: Calendar
) -> Consents:
    """Advertising: asked of people with a login, by the cookie banner."""
    person = np.flatnonzero((ids.login >= 0) & (people.joined < calendar.end - DAY))
    answer = rng.random(len(person))
    asked = answer < 0.6
    person, answer = person[asked], answer[asked]
    n = len(person)
    return some_consents(
        n,
        person=person,
        email=ids.email[MAIN][person],
        channel=np.full(n, ADS_CHANNEL),
        status=np.where(answer < 0.42, GRANTED, DENIED),
        occurred=calendar.draw(rng, people.joined[person], calendar.end, n),
        source=np.full(n, BANNER),
    )


@dataclass(frozen=True)
class Feedback:
    """One row per answer or referral, by email; `order` is the row of the order it follows.

    `closed`: when somebody settled a complaint, a request or a bad review; -1 for never.
    """

    order: Ints
    person: Ints
    kind: Ints
    score: Ints
    product: Ints
    occurred: Ints
    closed: Ints


def make_feedback(rng: np.random.Generator, orders: Orders, calendar: Calendar) -> Feedback:
    """Answers a while after an order; which product a review is of is said by `about`."""
    rows = np.flatnonzero(
        (rng.random(len(orders)) < 0.12) & (orders.cancelled == 0) & ~orders.is_test
    )
    occurred = orders.placed[rows] + rng.integers(2 * DAY, 40 * DAY, len(rows))
    rows, occurred = rows[occurred < calendar.end], occurred[occurred < calendar.end]
    n = len(rows)
    kind = rng.choice(len(FEEDBACK), n, p=[0.4, 0.25, 0.05, 0.12, 0.13, 0.05])
    score = np.where(
        kind == 0, np.clip(rng.normal(8.2, 1.9, n).round(), 0, 10), rng.choice([2, 3, 4, 5, 5], n)
    )
    score = np.where(kind <= 1, score, NOBODY).astype(np.int64)
    return Feedback(
        order=rows,
        person=orders.person[rows],
        kind=kind,
        score=score,
        product=np.full(n, NOBODY),
        occurred=occurred,
        closed=_closed(rng, kind, score, occurred, calendar),
    )


def is_case(kind: Ints, score: Ints) -> Bools:
    """Which answers wait for the shop: complaints, requests for help, bad reviews."""
    asks = np.isin(kind, [FEEDBACK.index(each) for each in ("complaint", "support")])
    bad: Bools = (kind == REVIEW) & (score <= BAD_SCORE)
    return asks | bad


def _closed(
    rng: np.random.Generator, kind: Ints, score: Ints, occurred: Ints, calendar: Calendar
) -> Ints:
    """Six cases in ten are settled, after three days to six weeks; the others nobody looks at."""
    closed = occurred + rng.integers(3 * DAY, 45 * DAY, len(occurred))
    is_settled = is_case(kind, score) & (rng.random(len(occurred)) < _CLOSED_SHARE)
    return np.where(is_settled & (closed < calendar.end), closed, NOBODY)


def about(feedback: Feedback, lines: Lines) -> Feedback:
    """The answers, each review with its order's first product."""
    first = lines.product[lines.place == 0]
    is_review = feedback.kind == REVIEW
    return replace(feedback, product=np.where(is_review, first[feedback.order], NOBODY))


@dataclass(frozen=True)
class Contacts:
    """One row per entry of a list the shop keeps; -1 where the entry lacks that address."""

    person: Ints
    email: Ints
    phone: Ints
    source: Ints
    created: Ints
    has_loyalty: Ints
    is_active: Ints


def make_contacts(
    rng: np.random.Generator,
    ids: Identifiers,
    orders: Orders,
    subs: Subscriptions,
    calendar: Calendar,
) -> Contacts:
    """The newsletter's own list, and the cards filled in when joining the loyalty scheme."""
    listed = np.flatnonzero(subs.source != CHECKOUT_BOX)
    rng_phone = rng.random(len(listed)) < 0.15
    phone = phone_at(ids, subs.person[listed], np.maximum(subs.since[listed], calendar.start))
    has_card = np.array([value is not None for value in ids.loyalty], dtype=np.bool_)
    first = np.unique(orders.person, return_index=True)[1]
    joins = first[has_card[orders.person[first]]]
    member = orders.person[joins]
    member_phone = phone_at(ids, member, orders.placed[joins])
    gives_email = rng.random(len(member)) < 0.85
    tills = SUBSCRIBED_BY.index("store_till")
    return Contacts(
        person=np.concatenate([subs.person[listed], member]),
        email=np.concatenate(
            [subs.email[listed], np.where(gives_email, ids.email[MAIN][member], NOBODY)]
        ),
        phone=np.concatenate([np.where(rng_phone, phone, NOBODY), member_phone]),
        source=np.concatenate([subs.source[listed], np.full(len(member), tills)]),
        created=np.concatenate([subs.since[listed], orders.placed[joins]]),
        has_loyalty=np.concatenate(
            [np.zeros(len(listed), dtype=np.int64), np.ones(len(member), dtype=np.int64)]
        ),
        is_active=np.concatenate(
            [(subs.ended[listed] == NEVER).astype(np.int64), np.ones(len(member), dtype=np.int64)]
        ),
    )
