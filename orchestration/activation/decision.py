"""The decision: of all segments that want a person today, the one whose contact goes out, or none.

Belongs here: the rule, pure, from facts that are handed in. Does not belong here: where the facts
come from (contact_day.py), permission itself (gate.py), the hours of a place (quiet_hours.py).

A segment wants each of its members. Every wish is judged on its own, strictest first:
1. Permission and suppression, by the gate, on the segment's channels: the person's stated one
   first, then the measured one, then in the segment's order. No channel, no contact.
2. The segment itself: one that holds nearly everybody of its channel, and does not say so in its
   file, gets nobody new. Then its first activation where being added is being contacted: whoever
   was a member by then gets nothing, unless its file says so (first_activation.py).
3. The person's level. Below the level that the context needs, the plain context goes out where
   the segment has one, and nothing where it has none. On site the level none gets nothing.
4. Holdout: global, or of the segment.
5. The wish itself: its stay ended before its conditions did, done (`exit_on`), too late
   (`not_after`), not due yet (`delay`), or the same segment a short while ago (`cooldown_days`).
6. Just bought: what the context offers, a variant or substitute of it. Then the quiet time after
   an order, which lets thanks, education, service and transactional messages pass, and in the same
   way the quiet time after a complaint or a request for help.
7. Complaints: while too many of the shop's emails were reported as spam, promotions by email wait.
8. The cap of marketing contacts, by the ledger, over the shop's day and over seven days.
9. Quiet hours at the person's place.
Of the wishes that are left the one of the lowest priority number goes out, of equals the first by
name. The others keep their place until their `not_after`.

Marketing and service (the transactional purpose) are decided apart: a receipt takes no offer's
place. The transactional purpose permits messages about the order and thanks for it: dbt refuses a
segment of any other kind, and one that was published all the same is judged as marketing. Who
stands in a segment's audience already gets no new contact by staying, so complaints, cap, quiet
hours, delay and cooldown ask only about those who would be new. A contact on site waits for the
person to come, so it takes nobody's place; everything up to the quiet time holds there too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from ingestion.vocabulary import (
    AFTER_AN_ORDER,
    FIRST_ACTIVATIONS,
    LEVELS,
    ONLY_OF_A_CONTRACT,
    Reason,
)
from orchestration.activation.gate import TRANSACTIONAL
from orchestration.activation.gate import Decision as Permission
from orchestration.segments.contact_class import MARKETING, SERVICE, asked_purpose
from orchestration.segments.contact_class import contact_class as class_of_contact

GLOBAL = "global"
EMAIL = "email"
WAITS = "onsite"  # the channel on which nobody is interrupted
WEEK = 7 * 24 * 3_600_000_000


class Outcome(StrEnum):
    """What becomes of a wish today."""

    CHOSEN = "chosen"
    DEFERRED = "deferred"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """What a segment's own file says of its contacts; lengths of time are microseconds.

    `level`: what its context knows of the member. `has_plain`: whether it has a context for members
    of whom less may be known. `not_after`: None is never. `everybody_on`: channels on which it
    holds nearly everybody, and does not say so. `first_activation`: what its file says of one.
    `baseline_until`: by channel the moment up to which its members get nothing there.
    `is_exclusion`: whether it lists whom ads leave out, which is no contact.
    """

    name: str
    channels: tuple[str, ...]
    purpose: str
    message_kind: str
    priority: int = 100
    level: str = "full"
    has_plain: bool = True
    delay: int = 0
    not_after: int | None = None
    cooldown: int = 0
    exit_on: tuple[str, ...] = ()
    everybody_on: frozenset[str] = frozenset()
    first_activation: str = FIRST_ACTIVATIONS[0]
    baseline_until: Mapping[str, int] = field(default_factory=dict)
    is_exclusion: bool = False

    @property
    def contact_class(self) -> str:
        """Whether its contacts are marketing or service, or an exclusion, which is none."""
        return class_of_contact(self.purpose, self.message_kind, is_exclusion=self.is_exclusion)

    @property
    def asked_purpose(self) -> str:
        """The purpose whose permission is asked for."""
        return asked_purpose(self.purpose, self.message_kind)


@dataclass(frozen=True, slots=True)
class Limits:
    """The shop's own limits; lengths of time are microseconds.

    `promotions_from`: when promotions by email may go out again, after too many complaints.
    """

    per_day: int = 1
    per_week: int = 4
    just_bought: int = 14 * 24 * 3_600_000_000
    quiet_time: int = 14 * 24 * 3_600_000_000
    support_quiet_time: int = 7 * 24 * 3_600_000_000
    promotions_from: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A member of a segment. Moments are microseconds in UTC, None is never.

    `bought_at`: when the person last bought what the context offers, or a substitute. `ended_by`:
    what ended the stay although the conditions still hold.
    """

    segment: str
    entered_at: int
    bought_at: int | None = None
    ended_by: Reason | None = None


# What may end the stay of somebody who is still a member, as the published file says it.
ENDS_OF_STAYS = {
    "goal_reached": Reason.GOAL_REACHED,
    "not_after": Reason.TOO_LATE,
    "cooldown": Reason.COOLDOWN,
}


@dataclass(frozen=True, slots=True)
class Person:
    """What the decision knows of a person. `held_out`: from which segments, or `global`.

    `preferred_channel`: what they stated; `measured_channel`: where they answer most.
    `asked_at`: when they last complained or asked for help.
    `last_done`: per kind of interaction that some segment ends on, when it last happened.
    """

    customer_id: str
    level: str = "segment"
    ordered_at: int | None = None
    preferred_channel: str | None = None
    measured_channel: str | None = None
    held_out: frozenset[str] = frozenset()
    last_done: Mapping[str, int] = field(default_factory=dict)
    asked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger knows of a person.

    `standing`: segments in whose audience the person is or may be. `contacts`: marketing contacts
    of the last seven days, segment and moment, those of unknown fate among them. `last`: per
    segment, the latest contact.
    """

    standing: frozenset[str] = frozenset()
    contacts: tuple[tuple[str, int], ...] = ()
    last: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is decided: now, and the bounds of the shop's day, microseconds in UTC."""

    at: int
    day: date
    day_start: int
    day_end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one wish, and why; `is_plain`: the plain context goes out.

    `send_at`: when it may leave at the earliest; `not_after`: until when it is worth it.
    """

    segment: str
    channel: str
    outcome: Outcome
    reason: Reason | None = None
    address_kind: str | None = None
    is_plain: bool = False
    send_at: int | None = None
    not_after: int | None = None
    is_standing: bool = False


@dataclass(frozen=True, slots=True)
class ContactDecision:
    """One person's row of a day and class: the wish that goes first, and what lost to it."""

    customer_id: str
    contact_class: str
    verdict: Verdict
    rivals: tuple[Verdict, ...]


# The gate's answer for a channel and a purpose
Permit = Callable[[str, str], Permission]
# The first allowed moment for a channel from a moment on; None is never
Open = Callable[[str, int], int | None]


def decide_day(
    person: Person,
    wishes: Iterable[Wish],
    segments: Mapping[str, SegmentRules],
    past: Past,
    limits: Limits,
    moment: Moment,
    permit: Permit,
    opens: Open,
) -> tuple[list[ContactDecision], dict[str, Verdict]]:
    """The rows of the day, at most one per class, and the verdict on every wish by segment."""
    verdicts = {}
    for wish in wishes:
        rules = segments[wish.segment]
        verdicts[wish.segment] = judge(wish, rules, person, past, limits, moment, permit, opens)
    rows = []
    for contact_class in (MARKETING, SERVICE):
        rivals = [
            verdicts[name]
            for name in sorted(verdicts, key=lambda name: (segments[name].priority, name))
            if segments[name].contact_class == contact_class and verdicts[name].channel != WAITS
        ]
        if rivals:
            row = _choose(person.customer_id, contact_class, rivals, moment)
            verdicts |= {each.segment: each for each in (row.verdict, *row.rivals)}
            rows.append(row)
    return rows, verdicts


def judge(
    wish: Wish,
    rules: SegmentRules,
    person: Person,
    past: Past,
    limits: Limits,
    moment: Moment,
    permit: Permit,
    opens: Open,
) -> Verdict:
    """What becomes of one wish, whatever else wants the person."""
    channel, permission = _channel(rules, person, permit)
    not_after = None if rules.not_after is None else wish.entered_at + rules.not_after
    is_standing = rules.name in past.standing
    base = Verdict(
        rules.name, channel, Outcome.DROPPED, not_after=not_after, is_standing=is_standing
    )
    refused = permission.reason or _exclusion(wish, rules, channel, person, is_standing=is_standing)
    if refused is not None:
        return replace(base, reason=refused)
    reason, until = _timing(wish, rules, person, past, limits, moment)
    is_contact = channel != WAITS and not rules.is_exclusion
    if reason is None and not is_standing and is_contact:
        reason, until = _pressure(rules, channel, past, limits, moment, opens)
    if reason is None:
        return replace(
            base,
            outcome=Outcome.CHOSEN,
            address_kind=permission.address[0] if permission.address else None,
            is_plain=_is_below(rules, person),
            send_at=moment.at,
        )
    if until is None or (not_after is not None and until >= not_after):
        return replace(base, reason=reason)
    return replace(
        base,
        outcome=Outcome.DEFERRED,
        reason=reason,
        address_kind=permission.address[0] if permission.address else None,
        send_at=until,
    )


def _exclusion(
    wish: Wish, rules: SegmentRules, channel: str, person: Person, *, is_standing: bool
) -> Reason | None:
    """Why the segment has nothing for the person at any time."""
    if channel in rules.everybody_on and not is_standing:
        return Reason.EVERYBODY
    until = rules.baseline_until.get(channel)
    if until is not None and wish.entered_at <= until and not is_standing:
        return Reason.BASELINE
    if not _may_know(rules, person, channel):
        return Reason.LEVEL
    is_out = not person.held_out.isdisjoint((GLOBAL, rules.name))
    if is_out and rules.contact_class == MARKETING:
        return Reason.HOLDOUT
    return None


def _is_below(rules: SegmentRules, person: Person) -> bool:
    """Whether the context knows more than may be known of the person; a receipt is its own."""
    if rules.contact_class == SERVICE:
        return False
    return LEVELS.index(person.level) < LEVELS.index(rules.level)


def _may_know(rules: SegmentRules, person: Person, channel: str) -> bool:
    """Whether there is something to say that tells no more of the person than their level allows.

    What the site shows to a segment's members is not what everybody gets, however plain.
    """
    if channel == WAITS and person.level == LEVELS[0] and rules.contact_class != SERVICE:
        return False
    return rules.has_plain or not _is_below(rules, person)


def _channel(rules: SegmentRules, person: Person, permit: Permit) -> tuple[str, Permission]:
    """The first channel that is permitted, else the first with why it is not."""
    own = (person.preferred_channel, person.measured_channel)
    wanted = (each for each in own if each in rules.channels)
    channels = dict.fromkeys((*wanted, *rules.channels))
    answers = [(each, permit(each, rules.asked_purpose)) for each in channels]
    return next((answer for answer in answers if answer[1].allowed), answers[0])


def _timing(
    wish: Wish, rules: SegmentRules, person: Person, past: Past, limits: Limits, moment: Moment
) -> tuple[Reason | None, int | None]:
    """Why the wish itself has to wait or go, and until when; nothing where it is due."""
    at = moment.at
    if wish.ended_by is not None:
        return wish.ended_by, None
    if any(person.last_done.get(kind, -1) > wish.entered_at for kind in rules.exit_on):
        return Reason.GOAL_REACHED, None
    if rules.not_after is not None and at >= wish.entered_at + rules.not_after:
        return Reason.TOO_LATE, None
    waits: list[tuple[Reason, int]] = []
    if rules.name not in past.standing:
        waits.append((Reason.TOO_EARLY, wish.entered_at + rules.delay))
        if rules.cooldown and rules.name in past.last:
            waits.append((Reason.COOLDOWN, past.last[rules.name] + rules.cooldown))
    if _is_promotion(rules):
        if wish.bought_at is not None:
            waits.append((Reason.JUST_BOUGHT, wish.bought_at + limits.just_bought))
        if person.ordered_at is not None:
            waits.append((Reason.QUIET_TIME, person.ordered_at + limits.quiet_time))
        if person.asked_at is not None:
            waits.append((Reason.SUPPORT, person.asked_at + limits.support_quiet_time))
    return next(((reason, until) for reason, until in waits if at < until), (None, None))


def _pressure(
    rules: SegmentRules, channel: str, past: Past, limits: Limits, moment: Moment, opens: Open
) -> tuple[Reason | None, int | None]:
    """Whether one more contact is too many or too early in the day, and until when."""
    held = limits.promotions_from
    if held is not None and moment.at < held and channel == EMAIL and _is_promotion(rules):
        return Reason.COMPLAINT_RATE, held
    if rules.contact_class == MARKETING:
        today = [at for _, at in past.contacts if at >= moment.day_start]
        if len(today) >= limits.per_day:
            return Reason.CONTACT_CAP, moment.day_end
        if len(past.contacts) >= limits.per_week:
            oldest = sorted(at for _, at in past.contacts)[-limits.per_week]
            return Reason.CONTACT_CAP, oldest + WEEK
    is_receipt = rules.contact_class == SERVICE and rules.message_kind == TRANSACTIONAL
    allowed = moment.at if is_receipt else opens(channel, moment.at)
    if allowed != moment.at:
        return Reason.QUIET_HOURS, allowed
    return None, None


def _is_promotion(rules: SegmentRules) -> bool:
    """Whether the message sells, rather than thanks, teaches or serves.

    What says that it serves, and is not of a contract, sells as far as anybody knows.
    """
    if rules.contact_class != MARKETING:
        return False
    return rules.message_kind not in AFTER_AN_ORDER or rules.message_kind in ONLY_OF_A_CONTRACT


def _choose(
    customer_id: str, contact_class: str, verdicts: Sequence[Verdict], moment: Moment
) -> ContactDecision:
    """The first that goes out, else the first that still may, else the first of all.

    What waits for the end of quiet hours today keeps its place before others of today; until then
    the person stays in the audience where they stand.
    """
    winner = next((each for each in verdicts if _takes_the_day(each, moment)), None)
    if winner is None:
        waiting = (each for each in verdicts if each.outcome is Outcome.DEFERRED)
        winner = next(waiting, verdicts[0])
    keeps = next((each for each in verdicts if each.is_standing and _goes(each)), None)
    rivals = tuple(
        replace(each, outcome=Outcome.DEFERRED, reason=Reason.OTHER_SEGMENT, send_at=None)
        if _goes(each) and (_goes(winner) or each is not keeps)
        else each
        for each in verdicts
        if each is not winner
    )
    return ContactDecision(customer_id, contact_class, winner, rivals)


def _goes(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.CHOSEN


def _takes_the_day(verdict: Verdict, moment: Moment) -> bool:
    return _goes(verdict) or (
        verdict.reason is Reason.QUIET_HOURS
        and verdict.send_at is not None
        and verdict.send_at < moment.day_end
    )
