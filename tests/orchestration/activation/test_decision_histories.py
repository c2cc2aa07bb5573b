"""Ten thousand histories of permission, merges and contacts: nothing unlawful is ever chosen.

Each person lives a week in a store: grants, refusals, expiries, privacy signals, words that nobody
knows, merges, splits, erasures, orders. Each day all are decided and what is chosen is recorded as
sent. What should have come out is worked out again here, from the facts and the calendar, without
the gate, the decision or the hours that they use.

A few hundred in `make test`, all in `make faults`.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from ingestion.vocabulary import AFTER_AN_ORDER, LEVELS, OF_THE_DAY, Reason
from orchestration.activation import holdouts
from orchestration.activation.contact_day import ContactDay, Judged, Rules
from orchestration.activation.decision import (
    GLOBAL,
    WAITS,
    ContactDecision,
    Limits,
    Outcome,
    Person,
    SegmentRules,
    Verdict,
    Wish,
)
from orchestration.activation.first_activation import record_first_activation
from orchestration.activation.gate import Identifier
from orchestration.activation.people import Target
from orchestration.activation.quiet_hours import Place, Shop
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import Store, from_micros, open_store, to_micros
from orchestration.ops.tombstones import Erasable, request
from tests.orchestration.activation.shop import NOW
from tests.orchestration.activation.test_properties import (
    ADDRESSES,
    Fact,
    is_lawful,
    random_fact,
)
from tests.orchestration.suppressions import Suppression, record_suppressions

HOUR = timedelta(hours=1)
# Days of a week, at hours of which some are quiet, and one after the clocks went forward
MOMENTS = [NOW + timedelta(days=day, hours=hour) for day, hour in enumerate([0, 8, -6, 1, -3, 7])]
ZONES = {"GB": "Europe/London", "IE": "Europe/Dublin", "PT": "Europe/Lisbon"}
OPEN = {"sms": (9, 20), "push": (8, 21)}  # of every country that the seed has no row of its own for
HOUR_US, DAY_US = 3_600_000_000, 24 * 3_600_000_000
SEGMENTS = {
    each.name: each
    for each in (
        SegmentRules(
            "cart", ("email", "sms"), "marketing", "reminder", 10, "full", exit_on=("order_placed",)
        ),
        SegmentRules("vip", ("sms", "email"), "marketing", "offer", 20, cooldown=3 * DAY_US),
        SegmentRules("news", ("email",), "marketing", "newsletter", 20, "none"),
        SegmentRules("thanks", ("email",), "marketing", "thank_you", 5, "segment", has_plain=False),
        SegmentRules("bell", ("push", "email"), "marketing", "recommendation", 15, has_plain=False),
        SegmentRules("retarget", ("ads",), "ads", "offer", 40, "segment", delay=20 * HOUR_US),
        SegmentRules("receipt", ("email", "sms"), "transactional", "transactional", 1),
        SegmentRules("banner", ("onsite",), "personalisation", "welcome", 2),
        SegmentRules("late", ("email",), "marketing", "win_back", 3, not_after=70 * HOUR_US),
    )
}
# A pair where being added is being contacted, and as of when it was synced first
BEGAN = to_micros(NOW) - 20 * HOUR_US
MESSAGING = (Target("bell", "texts", "push", "marketing", messages_on_add=True),)
SHARES = {GLOBAL: 0.05, "cart": 0.2}
LIMITS = Limits(per_day=1, per_week=3)
KNOWN_ENDS = frozenset(OF_THE_DAY)
# Of whole segments or of one destination: they have tests of their own
ELSEWHERE = {Reason.COMPLAINT_RATE, Reason.EVERYBODY, Reason.OTHER_CHANNEL}


@dataclass
class One:
    """A person of these histories, and all that the oracle needs to know of them."""

    customer_id: str
    identifiers: list[Identifier]
    level: str
    country: str
    origin: str
    preferred: str | None
    measured: str | None
    wishes: dict[str, int]
    ordered_at: int | None = None
    bought_at: dict[str, int] = field(default_factory=dict)
    is_forgotten: bool = False
    contacts: list[tuple[int, str]] = field(default_factory=list)  # marketing, as sent
    last: dict[str, int] = field(default_factory=dict)
    standing: set[str] = field(default_factory=set)
    asked_at: int | None = None

    @property
    def held_out(self) -> frozenset[str]:
        return frozenset(
            name
            for name, share in SHARES.items()
            if holdouts.is_held_out(self.origin, name, share, "salt")
        )


class Histories:
    """People, their facts and their contacts, kept beside the store."""

    def __init__(self, store: Store, count: int, dice: random.Random) -> None:
        self.store, self.dice = store, dice
        self.facts: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        self.people = {each.customer_id: each for each in map(self._person, range(count))}
        self.aliases: dict[str, str] = {}
        self.apart: dict[str, list[Identifier]] = {}  # what a merge brought, by the id it took in
        self.seen: Counter[str] = Counter()
        with store.write() as connection:
            connection.execute(
                insert(schema.sync_runs).values(
                    **{c.name: "x" for c in schema.sync_runs.c if c.type.python_type is str},
                    queued=0,
                    started_at=0,
                )
            )
            for pair in MESSAGING:
                began = from_micros(BEGAN)
                record_first_activation(connection, pair, as_of=began, at=began)

    def _person(self, number: int) -> One:
        dice = self.dice
        kinds = dice.sample(["email", "email", "phone", "device", "login"], dice.randint(1, 4))
        name = f"c{number:05d}"
        wanted = dice.sample(sorted(SEGMENTS), dice.randint(1, 5))
        start = to_micros(NOW)
        one = One(
            name,
            [Identifier(kind, f"{kind}{number}-{i}") for i, kind in enumerate(kinds)],
            dice.choice(LEVELS),
            dice.choice(sorted(ZONES)),
            name,
            dice.choice([None, None, "email", "sms", "onsite"]),
            dice.choice([None, "email", "sms", "push"]),
            {each: start - dice.randrange(-30, 90) * HOUR_US for each in wanted},
        )
        self._order(one, start - dice.randrange(0, 60) * DAY_US)
        if number % 8 == 0:
            one.asked_at = start - (number % 10) * DAY_US
        return one

    def _order(self, one: One, at: int) -> None:
        one.ordered_at = at if one.ordered_at is None else max(at, one.ordered_at)
        one.bought_at = {each: at for each in one.wishes if self.dice.random() < 0.3}

    def go_on(self, at: datetime) -> None:
        """What happens to people until a moment: facts of all kinds, merges, splits, orders."""
        dice = self.dice
        consents: list[ConsentEvent] = []
        stops: list[Suppression] = []
        for one in self.people.values():
            for identifier in one.identifiers:
                share = 0.6 if at == MOMENTS[0] else 0.08
                fresh = [_fact(dice, identifier.key, at) for _ in range(4) if dice.random() < share]
                self.facts[identifier.key] += fresh
                consents += [fact for fact in fresh if isinstance(fact, ConsentEvent)]
                stops += [fact for fact in fresh if isinstance(fact, Suppression)]
            if dice.random() < 0.02:
                self._order(one, to_micros(at) - dice.randrange(0, 9) * HOUR_US)
        record_consents(self.store, consents, recorded_at=at)
        record_suppressions(self.store, stops, recorded_at=at)
        for name in dice.sample(sorted(self.people), len(self.people) // 20):
            if name in self.people:
                dice.choice([self._merge, self._merge, self._forget])(name, at)
        for name in sorted(self.apart):
            if name in self.people and dice.random() < 0.3:
                self._split(name, at)

    def _merge(self, name: str, at: datetime) -> None:
        other = self.dice.choice(sorted(self.people))
        if other == name or other in self.apart or self.people[other].is_forgotten:
            return
        into, gone = self.people[name], self.people.pop(other)
        self.apart[name] = gone.identifiers
        into.identifiers = [*into.identifiers, *gone.identifiers]
        into.wishes = gone.wishes | into.wishes
        into.origin = min(into.origin, gone.origin)  # the older id decides
        into.level = min(into.level, gone.level, key=LEVELS.index)
        into.ordered_at = max(into.ordered_at or 0, gone.ordered_at or 0)
        into.asked_at = max(into.asked_at or 0, gone.asked_at or 0)
        into.bought_at = {
            each: max(into.bought_at.get(each, 0), gone.bought_at.get(each, 0))
            for each in into.bought_at.keys() | gone.bought_at.keys()
        }
        into.contacts += gone.contacts
        for segment, moment in gone.last.items():
            into.last[segment] = max(moment, into.last.get(segment, 0))
        into.standing |= gone.standing
        self.aliases = {old: name if new == other else new for old, new in self.aliases.items()} | {
            other: name
        }
        self.seen["merge"] += 1

    def _split(self, name: str, at: datetime) -> None:
        one = self.people[name]
        theirs = self.apart.pop(name, None)
        if theirs is None or one.is_forgotten:
            return
        keys = {each.key for each in theirs}
        one.identifiers = [each for each in one.identifiers if each.key not in keys]
        born = f"{name}-{at:%d}"
        self.people[born] = One(
            born,
            theirs,
            one.level,
            one.country,
            one.origin,
            None,
            None,
            dict(one.wishes),
            one.ordered_at,
            asked_at=one.asked_at,
        )
        self.seen["split"] += 1

    def _forget(self, name: str, at: datetime) -> None:
        one = self.people[name]
        one.is_forgotten = True
        keys = tuple(each.key for each in one.identifiers)
        with self.store.write() as connection:
            request(connection, Erasable((name,), keys), reason="asked", at=at)
        self.seen["forgotten"] += 1

    def judge(self, at: datetime) -> Judged:
        shop = Shop("Europe/London", "GB")
        rules = Rules(SEGMENTS, LIMITS, shop, SHARES, "salt")
        day = ContactDay(rules, at, aliases=self.aliases, pairs=MESSAGING)
        for one in self.people.values():
            day.wishes[one.customer_id] = [
                Wish(segment, entered, one.bought_at.get(segment))
                for segment, entered in one.wishes.items()
            ]
            day.people[one.customer_id] = Person(
                one.customer_id,
                one.level,
                one.ordered_at,
                one.preferred,
                one.measured,
                one.held_out,
                {} if one.ordered_at is None else {"order_placed": one.ordered_at},
                one.asked_at,
            )
            day.places[one.customer_id] = Place(one.country)
            day.identifiers[one.customer_id] = one.identifiers
        with self.store.read() as connection:
            return day.judge(connection, at)

    def send(self, judged: Judged, at: datetime) -> None:
        """Everything that is chosen arrives, and whoever is not chosen any more is taken out."""
        moment, sent, left = to_micros(at), [], []
        for name, verdicts in judged.verdicts.items():
            one = self.people[name]
            for segment, verdict in verdicts.items():
                goes = verdict.outcome is Outcome.CHOSEN
                if goes and segment not in one.standing:
                    sent.append((name, segment, verdict.channel))
                    one.standing.add(segment)
                    one.last[segment] = moment
                    if SEGMENTS[segment].purpose != "transactional" and verdict.channel != WAITS:
                        one.contacts.append((moment, segment))
                elif not goes and segment in one.standing:
                    one.standing.discard(segment)
                    left += [(id_, segment) for id_ in (name, *self._former(name))]
        self._write(sent, left, moment)
        self.seen["sent"] += len(sent)

    def _former(self, name: str) -> Iterator[str]:
        return (old for old, survivor in self.aliases.items() if survivor == name)

    def _write(
        self, sent: list[tuple[str, str, str]], left: list[tuple[str, str]], at: int
    ) -> None:
        states = schema.audience_states
        with self.store.write() as connection:
            for name, segment, channel in sent:
                connection.execute(
                    insert(schema.deliveries).values(
                        delivery_id=f"{name}-{segment}-{at}",
                        sync_run_id="x",
                        segment=segment,
                        destination="d",
                        customer_id=name,
                        version=at,
                        operation="added",
                        channel=channel,
                        purpose=SEGMENTS[segment].purpose,
                        content_hash="h",
                        delivered_at=at,
                        outcome="added",
                    )
                )
            gone = [(name, segment) for name, segment, _ in sent] + left
            for name, segment in gone:
                connection.execute(
                    states.delete().where(states.c.customer_id == name, states.c.segment == segment)
                )
            if sent:
                connection.execute(
                    insert(states),
                    [
                        {
                            "destination": "d",
                            "segment": segment,
                            "customer_id": name,
                            "version": at,
                            "is_member": True,
                            "content_hash": "h",
                        }
                        for name, segment, _ in sent
                    ],
                )


def _fact(dice: random.Random, key: tuple[str, str], at: datetime) -> Fact:
    """A fact like any, or a plain yes, and now and then a word that nobody knows."""
    draw = dice.random()
    if draw < 0.6:
        channel, purpose = dice.choice(
            [(each, rules.purpose) for rules in SEGMENTS.values() for each in rules.channels]
        )
        when = at - timedelta(hours=dice.randrange(1, 500))
        return ConsentEvent(*key, channel, purpose, "granted", when, "form", wording_version="v1")
    fact = random_fact(dice, key)
    if draw < 0.62:
        return Suppression(*key, fact.channel, "*", "unknown_opt_out", fact.occurred_at, "test")
    return fact


def lawful_channels(
    histories: Histories, one: One, segment: str, at: datetime
) -> dict[str, set[str]]:
    """Of a segment's channels those on which the person may be contacted, with kinds of address."""
    found: dict[str, set[str]] = {}
    if one.is_forgotten:
        return found
    facts = [fact for each in one.identifiers for fact in histories.facts[each.key]]
    keys = [each.key for each in one.identifiers]
    rules = SEGMENTS[segment]
    for channel in rules.channels:
        kinds = {
            key[0]
            for key in keys
            if key[0] in ADDRESSES[channel]
            and is_lawful(facts, keys, key, channel, rules.purpose, at)
        }
        if kinds:
            found[channel] = kinds
    return found


def reasons_of_the_day(one: One, segment: str, channel: str, at: datetime) -> set[Reason]:
    """Everything but permission and other segments that speaks against a contact now."""
    rules, moment = SEGMENTS[segment], to_micros(at)
    entered, is_new = one.wishes[segment], segment not in one.standing
    is_receipt = rules.purpose == "transactional"
    held: dict[Reason, bool] = {}
    held[Reason.BASELINE] = (
        is_new
        and entered <= BEGAN
        and any((segment, channel) == (pair.segment, pair.channel) for pair in MESSAGING)
    )
    below = LEVELS.index(one.level) < LEVELS.index(rules.level)
    is_nothing_left = not rules.has_plain or (channel == WAITS and one.level == "none")
    held[Reason.LEVEL] = (below or channel == WAITS) and is_nothing_left and not is_receipt
    held[Reason.HOLDOUT] = bool(one.held_out & {GLOBAL, segment}) and not is_receipt
    held[Reason.GOAL_REACHED] = (
        bool(rules.exit_on) and one.ordered_at is not None and one.ordered_at > entered
    )
    held[Reason.TOO_LATE] = rules.not_after is not None and moment >= entered + rules.not_after
    held[Reason.TOO_EARLY] = is_new and moment < entered + rules.delay
    held[Reason.COOLDOWN] = (
        is_new and segment in one.last and moment < one.last[segment] + rules.cooldown
    )
    is_promotion = rules.message_kind not in AFTER_AN_ORDER and not is_receipt
    bought = one.bought_at.get(segment)
    held[Reason.JUST_BOUGHT] = is_promotion and bought is not None and moment < bought + 14 * DAY_US
    held[Reason.QUIET_TIME] = (
        is_promotion and one.ordered_at is not None and moment < one.ordered_at + 14 * DAY_US
    )
    held[Reason.SUPPORT] = (
        is_promotion and one.asked_at is not None and moment < one.asked_at + 7 * DAY_US
    )
    counts = is_new and channel != WAITS
    local = at.replace(tzinfo=ZoneInfo("UTC"))
    today = local.astimezone(ZoneInfo("Europe/London")).date()
    days = [
        datetime.fromtimestamp(each / 1e6, ZoneInfo("Europe/London")).date()
        for each, _ in one.contacts
    ]
    week = [each for each, _ in one.contacts if each > moment - 7 * DAY_US]
    held[Reason.CONTACT_CAP] = (
        counts
        and not is_receipt
        and (days.count(today) >= LIMITS.per_day or len(week) >= LIMITS.per_week)
    )
    if channel in OPEN:
        opens, closes = OPEN[channel]
        hour = local.astimezone(ZoneInfo(ZONES[one.country])).hour
        held[Reason.QUIET_HOURS] = (
            counts and rules.message_kind != "transactional" and not opens <= hour < closes
        )
    return {reason for reason, holds in held.items() if holds}


def check(histories: Histories, name: str, verdicts: dict[str, Verdict], at: datetime) -> None:
    """One person's day against what it should have been."""
    one = histories.people[name]
    assert set(verdicts) == set(one.wishes)
    for segment, verdict in verdicts.items():
        lawful = lawful_channels(histories, one, segment, at)
        context = (name, segment, verdict, lawful)
        if verdict.reason is not None and verdict.reason not in KNOWN_ENDS:
            assert not lawful, context
            assert verdict.outcome is Outcome.DROPPED, context
            histories.seen[verdict.reason] += 1
            continue
        rules = SEGMENTS[segment]
        wanted = sorted(
            rules.channels, key=lambda each: (each != one.preferred, each != one.measured)
        )
        assert lawful, context
        assert verdict.channel == next(each for each in wanted if each in lawful), context
        if verdict.address_kind is not None:
            assert verdict.address_kind in lawful[verdict.channel], context
        against = reasons_of_the_day(one, segment, verdict.channel, at)
        expected = next((each for each in Reason if each in against), None)
        if expected is None:
            assert verdict.reason in (None, Reason.OTHER_SEGMENT), context
        else:
            assert verdict.reason is expected, (*context, expected)
        assert (verdict.outcome is Outcome.CHOSEN) == (verdict.reason is None), context
        histories.seen[verdict.reason or "chosen"] += 1


def check_row(row: ContactDecision, one: One, verdicts: dict[str, Verdict]) -> None:
    """What loses stands beside what goes first, each wish once, and nobody overtakes."""
    told = [row.verdict, *row.rivals]
    of_the_class = {
        name
        for name, verdict in verdicts.items()
        if SEGMENTS[name].contact_class == row.contact_class and verdict.channel != WAITS
    }
    assert sorted(each.segment for each in told) == sorted(of_the_class)
    assert all(verdicts[each.segment] == each for each in told)
    loud = [each for each in told if each.outcome is Outcome.CHOSEN]
    assert len(loud) <= 1
    first = SEGMENTS[row.verdict.segment]
    for each in row.rivals:
        rival = SEGMENTS[each.segment]
        if each.reason is Reason.OTHER_SEGMENT:
            assert (first.priority, first.name) < (rival.priority, rival.name) or (
                row.verdict.outcome is not Outcome.CHOSEN
            )


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.faults)])
def test_no_history_ends_in_an_unlawful_contact(count: int) -> None:
    dice = random.Random(20)
    with tempfile.TemporaryDirectory() as folder, open_store(Home(Path(folder)).create()) as store:
        histories = Histories(store, count, dice)
        for at in MOMENTS:
            histories.go_on(at)
            judged = histories.judge(at)
            assert judged.verdicts.keys() == histories.people.keys()
            for name, verdicts in judged.verdicts.items():
                check(histories, name, dict(verdicts), at)
            for row in judged.rows:
                check_row(
                    row, histories.people[row.customer_id], dict(judged.verdicts[row.customer_id])
                )
            before = {name: len(one.contacts) for name, one in histories.people.items()}
            histories.send(judged, at)
            new = [len(one.contacts) - before[name] for name, one in histories.people.items()]
            assert max(new) <= 1, "one marketing contact of a person and day"
    needed = {"chosen", "merge", "split", "forgotten", "sent", *OF_THE_DAY}
    tame = needed - ELSEWHERE - set(histories.seen)
    assert not tame, f"the histories are too tame: {sorted(tame)}"
