"""The pretend shop's mail: who subscribes, what is sent, what people do with it.

Belongs here: subscriptions, campaigns with their holdouts and causal lift, automatic messages.
Does not belong here: the visits that mail causes (browsing) or the consent log (permissions).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingestion.demo import catalogue
from ingestion.demo.browsing import CART, ORDER, Visits
from ingestion.demo.calendar import DAY, HOUR, Calendar, Floats, Ints, joined, lookup
from ingestion.demo.identifiers import MAIN, NEWSLETTER, NOBODY, Identifiers
from ingestion.demo.people import SUBSCRIBER, Bools, People
from ingestion.demo.purchases import Orders
from ingestion.demo.troubles import Troubles

FORM, CHECKOUT_BOX, TILL_FORM, IMPORT, QUIZ = range(5)
SUBSCRIBED_BY = ("newsletter", "checkout", "store_till", "import", "quiz")
PROMO, WELCOME, THANK_YOU, ABANDONED_CART, TRANSACTIONAL = range(5)
MESSAGE_KINDS = ("promo", "welcome", "thank_you", "abandoned_cart", "transactional")
SENT_FINE, SOFT_BOUNCE, HARD_BOUNCE = range(3)
NEVER = np.iinfo(np.int64).max
CAMPAIGN_EVERY = 20 * DAY
LATER_CAMPAIGN_EVERY = 5 * DAY
_LAST_CAMPAIGN = 5 * DAY - 10 * HOUR
HOLDOUT = 0.10
_SENT_SHARE = 0.75
_EXTRA_ORDERS = (0.06, 0.0, 0.02, 0.09, 0.0)
_ANNOYING = 4  # the letter that drives people away


@dataclass(frozen=True)
class Campaign:
    """One newsletter to everybody: when it leaves, how many visits and orders it causes by itself.

    `extra_orders` is per person who gets it; below zero it is the share of their next orders that
    they do not place because of it.
    `experiment` names the experiment that leaves some of the list out; None where all get it.
    """

    index: int
    campaign_id: str
    name: str
    subject: str
    sent: int
    lift: float
    extra_orders: float
    experiment: str | None


@dataclass(frozen=True)
class Subscriptions:
    """One row per address in the newsletter list."""

    person: Ints
    email: Ints
    since: Ints
    source: Ints
    dormant_from: Ints
    ended: Ints
    is_unproven: Bools
    expires: Bools


@dataclass(frozen=True)
class Messages:
    """One row per message sent; 0 where something did not happen."""

    person: Ints
    email: Ints
    kind: Ints
    campaign: Ints
    sent: Ints
    opened: Ints
    machine_opened: Ints
    clicked: Ints
    bounced: Ints
    reported: Ints
    unsubscribed: Ints

    @classmethod
    def joined(cls, *parts: Messages) -> Messages:
        """All messages of the parts, in time order."""
        return joined(cls, parts, "sent", "kind", "email")


def campaigns(calendar: Calendar) -> list[Campaign]:
    """The same campaigns for every seed: one every twenty days, the last five days ago."""
    last = calendar.end - _LAST_CAMPAIGN
    return _letters(list(reversed(range(last, calendar.start, -CAMPAIGN_EVERY))))


def later_campaigns(calendar: Calendar, later: Calendar) -> list[Campaign]:
    """Those of a shop that lives on: one every five days, the first on the first day."""
    moments = range(later.start + 10 * HOUR, later.end, LATER_CAMPAIGN_EVERY)
    return _letters(list(moments), len(campaigns(calendar)))


def _letters(moments: list[int], first: int = 0) -> list[Campaign]:
    made = []
    for index, sent in enumerate(moments, first):
        category = catalogue.CATEGORIES[index % len(catalogue.CATEGORIES)]
        made.append(
            Campaign(
                index=index,
                campaign_id=f"01J{index:05d}HARB0VRP1NECAMPA1GN"[:26],
                name=f"{index + 1:02d} {category.title()} letter",
                subject=f"New in {category}",
                sent=sent,
                lift=0.005 * (1 + index % 4),
                extra_orders=-0.5 if index == _ANNOYING else _EXTRA_ORDERS[index % 5],
                experiment=f"letter-{index + 1:02d}" if index % 3 < 2 else None,
            )
        )
    return made


def make_subscriptions(
    rng: np.random.Generator,
    people: People,
    ids: Identifiers,
    orders: Orders,
    calendar: Calendar,
    troubles: Troubles,
) -> Subscriptions:
    """Who stands in the list, since when and through which box."""
    prospects = np.flatnonzero(people.kind == SUBSCRIBER)
    dormant = np.flatnonzero(ids.email[NEWSLETTER] >= 0)
    first_rows = np.unique(orders.person, return_index=True)[1]
    first_rows = first_rows[rng.random(len(first_rows)) < 0.45]
    opted_in = orders.person[first_rows]
    at_till = ~orders.is_online[first_rows]
    person = np.concatenate([prospects, dormant, opted_in])
    n = len(person)
    since = np.concatenate(
        [
            people.joined[prospects],
            people.joined[dormant] - rng.integers(5, 200, len(dormant)) * DAY,
            orders.placed[first_rows],
        ]
    )
    dormant_from = np.concatenate(
        [
            np.full(len(prospects), NEVER),
            people.joined[dormant] + 20 * DAY,
            np.full(len(opted_in), NEVER),
        ]
    )
    source = np.concatenate(
        [
            rng.choice([FORM, QUIZ, TILL_FORM, IMPORT], len(prospects), p=[0.7, 0.12, 0.08, 0.1]),
            np.full(len(dormant), FORM),
            np.where(at_till, TILL_FORM, CHECKOUT_BOX),
        ]
    )
    email = np.concatenate(
        [ids.email[MAIN][prospects], ids.email[NEWSLETTER][dormant], ids.email[MAIN][opted_in]]
    )
    keep = since < calendar.end
    return Subscriptions(
        person=person[keep],
        email=email[keep],
        since=since[keep],
        source=source[keep],
        dormant_from=dormant_from[keep],
        ended=np.full(int(keep.sum()), NEVER),
        is_unproven=(rng.random(n) < troubles.consent_unproven)[keep],
        expires=(rng.random(n) < troubles.consent_expires)[keep],
    )


def send_campaigns(
    rng: np.random.Generator,
    people: People,
    subscriptions: Subscriptions,
    calendar: Calendar,
    troubles: Troubles,
    letters: list[Campaign] | None = None,
) -> tuple[Messages, dict[str, Ints]]:
    """Send every campaign in turn; whoever leaves gets nothing more. Also the experiment's record.

    A campaign with an experiment leaves out a tenth of the list at random, and those who get it
    visit the shop a little more often than the others do (`lift`), whether they click or not.
    """
    habits = _habits(rng, subscriptions, people, troubles)
    sent: list[Messages] = []
    exposed: list[dict[str, Ints]] = []
    for campaign in campaigns(calendar) if letters is None else letters:
        listed = (subscriptions.since < campaign.sent) & (subscriptions.ended > campaign.sent)
        listed &= rng.random(len(listed)) < _SENT_SHARE
        rows = np.flatnonzero(listed)
        treated = (rng.random(len(rows)) >= HOLDOUT) | (campaign.experiment is None)
        # Whoever stands in the list with two addresses is in one arm with both.
        _, first, same = np.unique(
            subscriptions.person[rows], return_index=True, return_inverse=True
        )
        treated = treated[first][same]
        caused = treated & (rng.random(len(rows)) < campaign.lift)
        exposed.append(
            {
                "person": subscriptions.person[rows],
                "campaign": np.full(len(rows), campaign.index),
                "is_treated": treated.astype(np.int64),
                "caused_visit_at": np.where(
                    caused, campaign.sent + rng.integers(HOUR, 3 * DAY, len(rows)), 0
                ),
            }
        )
        rows = rows[treated]
        moments = campaign.sent + rng.integers(0, 1800, len(rows))
        batch = _react(rng, subscriptions, rows, moments, habits, troubles, calendar)
        batch.campaign[:] = campaign.index
        leaves = np.maximum.reduce(
            [
                batch.unsubscribed,
                batch.reported,
                np.where(batch.bounced == HARD_BOUNCE, batch.sent, 0),
            ]
        )
        subscriptions.ended[rows] = np.where(leaves > 0, leaves, subscriptions.ended[rows])
        sent.append(batch)
    record = {name: np.concatenate([part[name] for part in exposed]) for name in exposed[0]}
    return Messages.joined(*sent), record


@dataclass(frozen=True)
class _Habits:
    """How each subscriber reads mail."""

    opens: Floats
    has_machine: Bools
    dormant_from: Ints


def _habits(
    rng: np.random.Generator, subs: Subscriptions, people: People, troubles: Troubles
) -> _Habits:
    n = len(subs.person)
    return _Habits(
        opens=0.08 + 0.7 * people.engagement[subs.person],
        has_machine=rng.random(n) < troubles.machine_open,
        dormant_from=subs.dormant_from,
    )


def _react(
    rng: np.random.Generator,
    subs: Subscriptions,
    rows: Ints,
    sent: Ints,
    habits: _Habits,
    troubles: Troubles,
    calendar: Calendar,
    kind: int = PROMO,
) -> Messages:
    n = len(rows)
    fate = rng.random(n)
    hard, soft = troubles.hard_bounce, troubles.hard_bounce + troubles.soft_bounce
    bounced = np.where(fate < hard, HARD_BOUNCE, np.where(fate < soft, SOFT_BOUNCE, SENT_FINE))
    arrived = bounced == SENT_FINE
    reads = arrived & (sent < habits.dormant_from[rows]) & (rng.random(n) < habits.opens[rows])
    opened = np.where(reads, sent + (rng.exponential(9 * HOUR, n)).astype(np.int64) + 60, 0)
    clicks = reads & (rng.random(n) < 0.16)
    clicked = np.where(clicks, opened + rng.integers(5, 120, n), 0)
    reports = reads & (rng.random(n) < troubles.spam_report * 3)
    leaves = reads & ~reports & (rng.random(n) < troubles.unsubscribe * 3)
    machine = arrived & habits.has_machine[rows]
    end = calendar.end

    def happened(moment: Ints) -> Ints:
        return np.where(moment < end, moment, 0)

    return Messages(
        person=subs.person[rows],
        email=subs.email[rows],
        kind=np.full(n, kind),
        campaign=np.full(n, NOBODY),
        sent=sent,
        opened=happened(opened),
        machine_opened=happened(np.where(machine, sent + rng.integers(5, 300, n), 0)),
        clicked=happened(clicked),
        bounced=bounced,
        reported=happened(np.where(reports, opened + 90, 0)),
        unsubscribed=happened(np.where(leaves, opened + 200, 0)),
    )


def send_automatic(
    rng: np.random.Generator,
    people: People,
    subs: Subscriptions,
    orders: Orders,
    visits: Visits,
    calendar: Calendar,
    troubles: Troubles,
) -> Messages:
    """Welcome, thank-you and abandoned-cart messages to the list, receipts to whoever ordered."""
    calm = Troubles.none()
    habits = _habits(rng, subs, people, troubles)
    newcomers = np.flatnonzero(subs.since >= calendar.start)
    welcome = _react(
        rng, subs, newcomers, subs.since[newcomers] + 120, habits, calm, calendar, WELCOME
    )
    by_person = np.full(len(people), NOBODY)
    by_person[subs.person] = np.arange(len(subs.person))
    first_rows = np.unique(orders.person, return_index=True)[1]
    thanks = _to_listed(
        rng,
        subs,
        by_person,
        orders.person[first_rows],
        orders.placed[first_rows] + DAY,
        habits,
        calendar,
        THANK_YOU,
    )
    left = np.flatnonzero((visits.depth >= CART) & (visits.depth < ORDER) & (visits.email >= 0))
    cart = _to_listed(
        rng,
        subs,
        by_person,
        visits.person[left],
        visits.start[left] + 4 * HOUR,
        habits,
        calendar,
        ABANDONED_CART,
    )
    return Messages.joined(welcome, thanks, cart, _receipts(rng, orders, calendar))


def _to_listed(
    rng: np.random.Generator,
    subs: Subscriptions,
    by_person: Ints,
    person: Ints,
    moment: Ints,
    habits: _Habits,
    calendar: Calendar,
    kind: int,
) -> Messages:
    """The same, to those of these people who are in the list at that moment."""
    row = by_person[person]
    listed = (row >= 0) & (moment < calendar.end)
    listed &= (lookup(subs.since, row) < moment) & (lookup(subs.ended, row) > moment)
    return _react(rng, subs, row[listed], moment[listed], habits, Troubles.none(), calendar, kind)


def _receipts(rng: np.random.Generator, orders: Orders, calendar: Calendar) -> Messages:
    rows = np.flatnonzero(orders.is_online & (orders.email >= 0) & ~orders.is_test)
    n, nothing = len(rows), np.zeros(len(rows), dtype=np.int64)
    sent = np.minimum(orders.placed[rows] + 20, calendar.end - 1)
    opened = np.where(rng.random(n) < 0.5, sent + rng.integers(30, 6 * HOUR, n), 0)
    return Messages(
        person=orders.person[rows],
        email=orders.email[rows],
        kind=np.full(n, TRANSACTIONAL),
        campaign=np.full(n, NOBODY),
        sent=sent,
        opened=np.where(opened < calendar.end, opened, 0),
        machine_opened=nothing,
        clicked=nothing,
        bounced=nothing,
        reported=nothing,
        unsubscribed=nothing,
    )
