"""The plan: what one sync would add, update, remove and hold back, and why.

Belongs here: the audience (members whom the gate and the day's decision let through, each with an
address) and its difference to what the destination has. Does not belong here: queueing or sending;
a plan reads the published file and the operational store and reaches nothing else (RELIABILITY
A12).

The difference is taken against what was delivered, not against the last plan, so a row that failed
comes again and a person whom we never sent is never removed (PEERS I2, I3). Rows tried without an
answer may have arrived: whoever they were meant for and should no longer have them is removed. So
may those that the destination accepted and applies later; one that says what is wanted is not sent
again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import Connection, select

from ingestion.vocabulary import DEVICE, Reason
from orchestration.activation.contact_day import ContactDay, read_contact_day
from orchestration.activation.decision import Outcome, Verdict
from orchestration.activation.gate import (
    ADDRESS_TYPES,
    ADS,
    ONSITE,
    PUSH,
    Decision,
    Identifier,
    Key,
    PermissionState,
    Policy,
    decide,
    load_all_states,
    load_states,
    reads_all_facts,
)
from orchestration.activation.messages import News, unsaid, worded
from orchestration.activation.people import (
    ADS_CONSENT,
    DEVICES,
    LIMITED_USE,
    PERSONALISED_ADS_CONSENT,
    RECOMMENDATIONS,
    People,
    Target,
    load_people,
    member_count,
)
from orchestration.activation.push_addresses import fields_of, with_subscription
from orchestration.destinations.base import Operation, Payload
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.later_stays import later_stays
from orchestration.ops.push_subscriptions import Subscription, living_subscriptions
from orchestration.ops.store import Store, to_micros
from orchestration.published.reader import open_published, read_build

OPEN_STATES = schema.OPEN_STATES
# What is asked about a person beside whether a channel may have them: a column, and a purpose.
_FURTHER: Mapping[str, Mapping[str, str]] = {
    ADS: {
        LIMITED_USE: "sell_share",
        ADS_CONSENT: "ads",
        PERSONALISED_ADS_CONSENT: "personalisation",
    },
    ONSITE: {RECOMMENDATIONS: "personalisation"},
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between what the destination has and what it should have.

    `afresh`: what it has is in doubt, so that a row that was tried before does not do.
    """

    operation: Operation
    customer_id: str
    content_hash: str
    payload: Payload
    previous: Payload | None = None
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A member who may not be contacted, and why."""

    customer_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the destination has of one person; in doubt where it may be an earlier intent.

    `is_due`: it would drop them soon if they were not sent again.
    """

    content_hash: str
    payload: Payload
    in_doubt: bool = False
    is_due: bool = False


@dataclass(frozen=True, slots=True)
class OpenRow:
    """An intent that did not come to its end."""

    key: str
    customer_id: str
    sync_run_id: str
    operation: Operation
    content_hash: str
    state: str
    was_tried: bool
    payload: Payload

    @property
    def may_have_arrived(self) -> bool:
        """Whether the destination may have it although nobody said so."""
        return self.state == "unknown" or self.was_tried


@dataclass(frozen=True)
class Difference:
    """Changes in the order of customer_id, and how many people need none: they stay as they are,
    wait for a person's word, or wait for what the destination accepted.
    """

    changes: tuple[Change, ...]
    unchanged_count: int = 0
    waiting_count: int = 0
    accepted_count: int = 0


@dataclass(frozen=True)
class Plan:
    """What a sync would do now."""

    target: Target
    run_id: str
    changes: tuple[Change, ...]
    held_back: tuple[HeldBack, ...]
    unchanged_count: int
    waiting_count: int  # rows of unknown fate that a person has to decide about
    moved: tuple[tuple[str, str], ...]  # merged ids whose place their survivor takes
    dropped: tuple[str, ...]  # merged ids whose address their survivor has already
    accepted_count: int = 0  # rows that the destination applies later, and that are as wanted
    ended: tuple[str, ...] = ()  # of messages: whose stay is over, so that the next is a new one

    @property
    def counts(self) -> dict[str, int]:
        """How many are added, updated and removed."""
        return count_operations(self.changes)

    @property
    def problem(self) -> str:
        """Why nothing can be sent at all, such as a message that nobody worded; else empty."""
        return self.target.writer.problem if self.target.writer else ""

    @property
    def held_back_counts(self) -> dict[str, int]:
        """How many are held back, by reason, most first."""
        counts = Counter(str(held.reason) for held in self.held_back)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def plan_hash(self) -> str:
        """What an approval binds to: every difference, and where it goes."""
        digest = hashlib.sha256()
        target = self.target
        digest.update(
            f"{target.segment}|{target.destination}|{target.channel}|{target.purpose}\n".encode()
        )
        for change in self.changes:
            line = f"{change.operation}|{change.customer_id}|{change.content_hash}\n"
            digest.update(line.encode())
        return digest.hexdigest()[:16]


def build_plan(
    store: Store,
    home: Home,
    target: Target,
    *,
    at: datetime,
    double_opt_in: bool = False,
    day: ContactDay | None = None,
    renewed_after: timedelta | None = None,
) -> Plan:
    """The plan for one segment and destination at the moment `at`.

    Args:
        store: the operational store.
        home: whose published file is read.
        target: the segment and its destination.
        at: the moment.
        double_opt_in: whether opt-ins need proof.
        day: what the decision knows of the published file, if it was read already; one that was
            read by the segments' earlier code makes a plan by that code, and one that knows some
            people only a plan of these, in which all others stay as they are.
        renewed_after: how long after their last delivery members are sent again, if ever.

    Raises:
        StoreError: the permission facts cannot be read.
        UsageError: the segment is not published.
    """
    policy = Policy(target.channel, target.purpose, double_opt_in)
    only = day.only if day is not None else None
    # The published file is held open: all readings are of one build, and share what opening costs.
    with open_published(home), store.read() as connection:
        _, run_id, as_of = read_build(home.published)
        living = _living(connection, target, at)
        people, decisions = _decided(
            *(connection, home, target, policy, to_micros(at), living),
            by_earlier_code=day is not None and day.is_by_earlier_code,
            only=only,
        )
        later = later_stays(connection, target.segment, as_of)
        people, decisions = _without_left(people, decisions, later.left)
        day = day or read_contact_day(home, people.members)
        # A push message narrows the gate's answers to devices that take it; others are as asked
        is_narrowed = target.writer is not None and target.channel == PUSH
        permitted = {} if is_narrowed else {(target.channel, target.purpose): decisions}
        judged = day.judge(
            *(connection, at),
            only=people.members,
            double_opt_in=double_opt_in,
            permitted=permitted,
        )
        states = delivered_states(connection, target, _formerly(only, people.aliases))
        if renewed_after is not None:
            states = _note_due(connection, target, states, at - renewed_after)
        rows = _of_these(open_rows(connection, target), _formerly(only, people.aliases))
        states, moved, dropped = _follow_merges(target, states, people.aliases)
        baseline = day.baseline_members(connection, target, people.members) - _there(states, rows)
        decisions, plain = _of_the_day(target, decisions, judged.verdicts, baseline)
        wanted = _wanted(target, people, decisions, plain, living)
        decisions = _without_message(decisions, wanted)
        news = _news(connection, target, wanted, states, rows, day) if target.writer else None
    if news is not None:
        states, wanted = {}, news.wanted
        rows = {who: row for who, row in rows.items() if who in wanted}
    # Whom the file does not list yet stays as they are
    unlisted = later.entered - people.members.keys()
    states = {who: each for who, each in states.items() if who not in unlisted}
    rows = {who: each for who, each in rows.items() if who not in unlisted}
    wanted, rows, on_their_way = _leave_accepted(target, wanted, states, rows, people.aliases)
    diff = difference(wanted, states, rows)
    held = tuple(
        HeldBack(customer_id, decision.reason)
        for customer_id, decision in sorted(decisions.items())
        if decision.reason is not None
    )
    return Plan(
        target,
        run_id,
        diff.changes,
        held,
        diff.unchanged_count + (news.said_count if news else 0),
        diff.waiting_count,
        moved,
        dropped,
        diff.accepted_count + on_their_way,
        tuple(who for who in news.ended if who not in unlisted) if news else (),
    )


def audience_difference(
    store: Store,
    before: Home,
    after: Home,
    target: Target,
    *,
    at: datetime,
    double_opt_in: bool = False,
) -> tuple[Change, ...]:
    """What a destination that has all of `before` would add, update and remove by `after`.

    Independent of what was delivered: it tells what a change of the published file means.

    Raises:
        StoreError: the permission facts cannot be read.
        UsageError: the segment is not published in both.
    """
    policy = Policy(target.channel, target.purpose, double_opt_in)
    with store.read() as connection:
        living = _living(connection, target, at)
        moment = to_micros(at)
        decided = _decided(connection, before, target, policy, moment, living)
        had = _wanted(target, *decided, living=living)
        people, decisions = _decided(connection, after, target, policy, moment, living)
    states = {
        customer_id: Delivered(content_hash(payload), payload)
        for customer_id, payload in had.items()
    }
    states, _, _ = _follow_merges(target, states, people.aliases)
    return difference(_wanted(target, people, decisions, living=living), states, {}).changes


def difference(
    wanted: Mapping[str, Payload],
    delivered: Mapping[str, Delivered],
    rows: Mapping[str, OpenRow],
) -> Difference:
    """What has to be sent so that the destination has what is wanted.

    Args:
        wanted: what the destination should have, by customer_id.
        delivered: what it has, as far as we know.
        rows: the latest open intent per person.
    """
    changes = []
    unchanged = waiting = accepted = 0
    for customer_id in sorted({*wanted, *delivered, *rows}):
        row, known = rows.get(customer_id), delivered.get(customer_id)
        if row is not None and _is_on_its_way(row, wanted.get(customer_id)):
            accepted += 1
            continue
        if customer_id not in wanted:
            change = _removal(customer_id, known, row)
        elif row is not None and row.state == "unknown" and row.operation != "removed":
            waiting += 1
            continue
        else:
            change = _addition(customer_id, wanted[customer_id], known, row)
            unchanged += change is None
        if change is not None:
            changes.append(change)
    return Difference(tuple(changes), unchanged, waiting, accepted)


def count_operations(changes: Iterable[Change]) -> dict[str, int]:
    """How many are added, updated and removed."""
    counts = Counter(str(change.operation) for change in changes)
    return {name: counts.get(name, 0) for name in ("added", "updated", "removed")}


def content_hash(payload: Payload) -> str:
    """A digest of the columns that are sent, so only their changes are updates."""
    canonical = json.dumps(payload, sort_keys=True, ensure_ascii=False)
    return hashlib.md5(canonical.encode(), usedforsecurity=False).hexdigest()


def delivered_states(
    connection: Connection, target: Target, only: Collection[str] | None = None
) -> dict[str, Delivered]:
    """What the destination has, by customer_id; of `only` these."""
    table = schema.audience_states.c
    rows = connection.execute(
        select(table.customer_id, table.content_hash, table.payload, table.in_doubt).where(
            table.destination == target.destination,
            table.segment == target.segment,
            table.is_member.is_(True),
        )
    )
    return {
        row[0]: Delivered(row[1], json.loads(row[2] or "{}"), bool(row[3]))
        for row in rows
        if only is None or row[0] in only
    }


def _note_due(
    connection: Connection, target: Target, states: Mapping[str, Delivered], since: datetime
) -> dict[str, Delivered]:
    """The same, with a mark at everybody of whom nothing has arrived since a moment."""
    table = schema.deliveries.c
    query = select(table.customer_id).where(
        table.destination == target.destination,
        table.segment == target.segment,
        table.operation != "removed",
        table.delivered_at > to_micros(since),
    )
    recent = {row[0] for row in connection.execute(query)}
    return {
        customer_id: state if customer_id in recent else replace(state, is_due=True)
        for customer_id, state in states.items()
    }


def open_rows(connection: Connection, target: Target) -> dict[str, OpenRow]:
    """The newest open intent per person."""
    table = schema.outbox.c
    rows = connection.execute(
        select(
            table.idempotency_key,
            table.customer_id,
            table.sync_run_id,
            table.operation,
            table.content_hash,
            table.state,
            # A refused row was not taken, but an earlier try of it may have been.
            ((table.attempts > 0) & (table.state != "dead")) | table.in_doubt,
            table.payload,
        )
        .where(
            table.destination == target.destination,
            table.segment == target.segment,
            table.state.in_(OPEN_STATES),
        )
        .order_by(table.customer_id, table.version)
    )
    newest = {}
    for row in rows:
        newest[row[1]] = OpenRow(
            key=row[0],
            customer_id=row[1],
            sync_run_id=row[2],
            operation=row[3],
            content_hash=row[4],
            state=row[5],
            was_tried=bool(row[6]),
            payload=json.loads(row[7] or "{}"),
        )
    return newest


def _decided(
    connection: Connection,
    home: Home,
    target: Target,
    policy: Policy,
    at: int,
    living: Mapping[str, Subscription],
    *,
    by_earlier_code: bool = False,
    only: Collection[str] | None = None,
) -> tuple[People, dict[str, Decision]]:
    """The segment's people and the gate's answer for each; for ads also who limits their use, for
    the site what to show whom."""
    asked = _FURTHER.get(target.channel, {})
    further = [Policy(target.channel, each, policy.double_opt_in) for each in asked.values()]
    policies = [policy, *further]
    member_total = member_count(home, target, by_earlier_code=by_earlier_code, only=only)
    if reads_all_facts(connection, member_total):
        facts = [load_all_states(connection, each, at) for each in policies]
        relevant = {key for states in facts for key in states}
        people = load_people(home, target, relevant, by_earlier_code=by_earlier_code, only=only)
    else:
        people = load_people(home, target, by_earlier_code=by_earlier_code, only=only)
        keys = {identifier.key for known in people.identifiers.values() for identifier in known}
        facts = [load_states(connection, keys, each, at) for each in policies]
    states = facts[0]
    for column, each, known in zip(asked, further, facts[1:], strict=True):
        note = _note_recommendations if column == RECOMMENDATIONS else _note_consent
        note(people, column, each, known)
    nobody = Decision(Reason.NO_CONSENT)
    decisions = {
        customer_id: decide(people.identifiers[customer_id], states, policy)
        if customer_id in people.identifiers
        else nobody
        for customer_id in people.members
    }
    if target.writer is None or target.channel != PUSH:
        return people, decisions
    return people, {
        who: with_subscription(each, people.identifiers.get(who, ()), states, policy, living)
        for who, each in decisions.items()
    }


def _note_consent(
    people: People, column: str, policy: Policy, states: Mapping[Key, PermissionState]
) -> None:
    """Write beside each member what they said to a purpose; of sale only whether they refused."""
    refused = {key for key, state in states.items() if state.opt_out}
    for customer_id, member in people.members.items():
        known = people.identifiers.get(customer_id, [])
        is_refused = any(identifier.key in refused for identifier in known)
        if column == LIMITED_USE:
            member[column] = is_refused
        elif is_refused:
            member[column] = "denied"
        else:
            member[column] = "granted" if decide(known, states, policy).receipt_id else None


def _note_recommendations(
    people: People, column: str, policy: Policy, states: Mapping[Key, PermissionState]
) -> None:
    """Write beside each member who permits personalisation what to show them, and each browser."""
    for customer_id, member in people.members.items():
        decision = decide(people.identifiers.get(customer_id, []), states, policy)
        keys = (*filter(None, [decision.address]), *decision.further) if decision.allowed else ()
        visits = {
            value: people.shown_after_visits[value]
            for kind, value in keys
            if kind == DEVICE and value in people.shown_after_visits
        }
        person = people.shown.get(customer_id, []) if keys else []
        shown = {"person": person, "visits": visits}
        member[column] = json.dumps(shown, sort_keys=True) if person or visits else None


def _formerly(only: frozenset[str] | None, aliases: Mapping[str, str]) -> frozenset[str] | None:
    """These people's ids, and those that were merged into them; None is everybody."""
    if only is None:
        return None
    return only | {old for old, survivor in aliases.items() if survivor in only}


def _of_these(rows: Mapping[str, OpenRow], only: frozenset[str] | None) -> dict[str, OpenRow]:
    return {who: row for who, row in rows.items() if only is None or who in only}


def _without_left(
    people: People, decisions: Mapping[str, Decision], left: Collection[str]
) -> tuple[People, dict[str, Decision]]:
    """The same without whoever has left since the file was made."""
    members = {who: each for who, each in people.members.items() if who not in left}
    return replace(people, members=members), {who: decisions[who] for who in members}


def _there(states: Collection[str], rows: Mapping[str, OpenRow]) -> set[str]:
    """Whom the destination has, or may have."""
    return {*states, *(who for who, row in rows.items() if row.may_have_arrived)}


def _of_the_day(
    target: Target,
    decisions: Mapping[str, Decision],
    verdicts: Mapping[str, Mapping[str, Verdict]],
    baseline: Collection[str],
) -> tuple[dict[str, Decision], frozenset[str]]:
    """The gate's answers, narrowed to whom the day's decision gives to this segment and channel.

    Whoever is of the pair's baseline gets nothing there, though another destination has them.
    Beside the answers, whose context is the plain one.
    """
    narrowed = {}
    for customer_id, decision in decisions.items():
        verdict = verdicts.get(customer_id, {}).get(target.segment)
        held = decision.reason or refusal(verdict, target)
        if held is None and customer_id in baseline:
            held = Reason.BASELINE
        narrowed[customer_id] = decision if held is None else Decision(held)
    plain = frozenset(
        customer_id
        for customer_id, by_segment in verdicts.items()
        if target.segment in by_segment and by_segment[target.segment].is_plain
    )
    return narrowed, plain


def refusal(verdict: Verdict | None, target: Target) -> Reason | None:
    """Why the day's decision gives the person nothing of this target; None where it does."""
    if verdict is None:
        return Reason.UNKNOWN_PERSON
    if verdict.outcome is not Outcome.CHOSEN:
        return verdict.reason
    return None if verdict.channel == target.channel else Reason.OTHER_CHANNEL


def _wanted(
    target: Target,
    people: People,
    decisions: Mapping[str, Decision],
    plain: Collection[str] = (),
    living: Mapping[str, Subscription] = MappingProxyType({}),
) -> dict[str, Payload]:
    """What the destination should have: one payload per member who gets this segment today."""
    addresses = dict.fromkeys(ADDRESS_TYPES[target.channel])
    wanted: dict[str, Payload] = {}
    columns = None if target.writer else target.columns
    for customer_id, member in people.members.items():
        if decisions[customer_id].address is not None:
            full = {
                **addresses,
                **member,
                **(people.plain if customer_id in plain else {}),
                **_chosen(target, decisions[customer_id], people.device_types),
                **_subscription(decisions[customer_id], living),
                **{kind: _all_of(kind, people.identifiers[customer_id]) for kind in target.ids},
                "segment": target.segment,
            }
            wanted[customer_id] = {column: full[column] for column in columns or full}
    return wanted if columns else worded(target, people, wanted, plain)


def _subscription(decision: Decision, living: Mapping[str, Subscription]) -> Mapping[str, str]:
    """Where the chosen device takes notices; nothing where no notice is to be sent."""
    if decision.address is None or decision.address[1] not in living:
        return {}
    return fields_of(decision.address[1], living)


def _living(connection: Connection, target: Target, at: datetime) -> Mapping[str, Subscription]:
    """The push subscriptions there are, where the target's messages need one."""
    if target.writer is None or target.channel != PUSH:
        return {}
    return living_subscriptions(connection, at, timedelta(days=target.writer.push_days))


def _without_message(
    decisions: Mapping[str, Decision], wanted: Mapping[str, Payload]
) -> dict[str, Decision]:
    """The answers, with a reason for whoever may be contacted and for whom nothing is worded."""
    return {
        customer_id: decision
        if decision.address is None or customer_id in wanted
        else Decision(Reason.NO_MESSAGE)
        for customer_id, decision in decisions.items()
    }


def _news(
    connection: Connection,
    target: Target,
    wanted: Mapping[str, Payload],
    states: Mapping[str, Delivered],
    rows: Mapping[str, OpenRow],
    day: ContactDay,
) -> News:
    """What of the messages was not said yet in the stay of each person."""
    refused = {who for who, row in rows.items() if row.state == "dead"}
    return unsaid(
        connection,
        target,
        wanted,
        {*states, *refused},
        day.stays(target.segment),
        day.aliases,
        day.splits,
    )


def _all_of(kind: str, identifiers: Iterable[Identifier]) -> str | None:
    """All identifiers of a type, with spaces between them, in one order."""
    values = sorted({each.value for each in identifiers if each.type == kind})
    return " ".join(values) or None


def _chosen(target: Target, decision: Decision, types: Mapping[str, str]) -> dict[str, str]:
    """The permitted addresses: the best of each kind, and for the site all browsers as JSON."""
    keys = [*filter(None, [decision.address]), *decision.further]
    chosen = dict(reversed(keys))
    if target.channel == ONSITE:
        devices = sorted(value for kind, value in keys if kind == DEVICE)
        chosen[DEVICES] = json.dumps({device: types.get(device) for device in devices})
    return chosen


def _follow_merges(
    target: Target, states: dict[str, Delivered], aliases: Mapping[str, str]
) -> tuple[dict[str, Delivered], tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Let survivors take over what was delivered under ids merged into theirs.

    Removing a merged id and adding its survivor would end with the address removed wherever the
    destination knows people by address, so the place moves silently.
    """
    moved, dropped = [], []
    following = dict(states)
    for old in sorted(old for old in states if old in aliases):
        survivor = aliases[old]
        if survivor not in following:
            following[survivor] = following.pop(old)
            moved.append((old, survivor))
        elif address_of(following[survivor].payload, target) == address_of(
            states[old].payload, target
        ):
            del following[old]
            dropped.append(old)
    return following, tuple(moved), tuple(dropped)


def _leave_accepted(
    target: Target,
    wanted: Mapping[str, Payload],
    states: Mapping[str, Delivered],
    rows: Mapping[str, OpenRow],
    aliases: Mapping[str, str],
) -> tuple[dict[str, Payload], dict[str, OpenRow], int]:
    """What is wanted and open without rows accepted under a merged id; how many those are.

    The place moves once the destination has answered. Until then a removal of the old id and an
    addition of its survivor would run in any order, and might end with the address removed.
    """
    left = {
        old: aliases[old]
        for old, row in rows.items()
        if row.state == "accepted"
        and row.operation != "removed"
        and aliases.get(old) in wanted
        and address_of(row.payload, target) == address_of(wanted[aliases[old]], target)
    }
    if not left:
        return dict(wanted), dict(rows), 0
    waiting = {new for new in left.values() if new not in states and new not in rows}
    return (
        {name: payload for name, payload in wanted.items() if name not in waiting},
        {old: row for old, row in rows.items() if old not in left},
        len(left),
    )


def address_of(payload: Payload, target: Target) -> Key | None:
    """The address a payload was made for; of several the first."""
    return next(iter(addresses_of(payload, target)), None)


def addresses_of(payload: Payload, target: Target) -> list[Key]:
    """The addresses a payload was made for: one, for ads perhaps one of each kind, on site all."""
    kinds = ADDRESS_TYPES[target.channel]
    firsts = [(kind, str(payload[kind])) for kind in kinds if payload.get(kind)]
    devices = json.loads(payload.get(DEVICES) or "{}")
    return list(dict.fromkeys((*firsts, *((DEVICE, device) for device in devices))))


def _is_on_its_way(row: OpenRow, payload: Payload | None) -> bool:
    """Whether the destination has accepted just what is wanted (None: that they are gone)."""
    if row.state != "accepted":
        return False
    if payload is None:
        return row.operation == "removed"
    return row.operation != "removed" and row.content_hash == content_hash(payload)


def _removal(customer_id: str, known: Delivered | None, row: OpenRow | None) -> Change | None:
    if known is not None:
        return Change(
            "removed",
            customer_id,
            known.content_hash,
            known.payload,
            known.payload,
            afresh=known.in_doubt,
        )
    if row is not None and (row.operation == "removed" or row.may_have_arrived):
        return Change("removed", customer_id, row.content_hash, row.payload, row.payload)
    return None


def _addition(
    customer_id: str, payload: Payload, known: Delivered | None, row: OpenRow | None
) -> Change | None:
    digest = content_hash(payload)
    if known is None:
        return Change("added", customer_id, digest, payload)
    if known.in_doubt:
        return Change("added", customer_id, digest, payload, known.payload, afresh=True)
    in_doubt = row if row is not None and row.may_have_arrived else None
    if in_doubt is not None and in_doubt.operation == "removed":
        return Change("added", customer_id, digest, payload, known.payload)
    if known.content_hash != digest or in_doubt is not None or known.is_due:
        return Change("updated", customer_id, digest, payload, known.payload)
    return None
