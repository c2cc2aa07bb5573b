"""One sync: plan, queue, and drain the outbox into a destination, so that a kill loses nothing.

Belongs here: the order of steps and the retries. Does not belong here: permission (gate), the
difference (plan), the bookkeeping (outbox, settlement) or any particular destination.

Steps: take back what a killed sync had claimed -> ask who refused at the destination, and tell it
who refused elsewhere -> ask what came of rows that it accepted for later -> plan against what was
delivered -> refuse if the approval was for something else -> queue -> per batch: claim, then in one
transaction ask the gate, deliver and record -> remove at once whoever the gate stopped on the way
-> finish, asking the gate once more about everybody the destination has.

That one transaction holds the store's write lock, so an opt-out is either known before a batch
leaves or acknowledged after it has left; there is no moment in between (RELIABILITY A5). Finishing
is such a transaction too: what stands in a finished audience was permitted when it was finished.
Removals always go and never ask the gate. Each batch is asked about at a moment of its own: rounds
and a slow destination take minutes, in which a permission expires and quiet hours begin.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import islice

from sqlalchemy import Connection, func, select, text, update

from ingestion.errors import RegularsError, UsageError
from ingestion.vocabulary import Reason
from orchestration.activation import outbox, settlement
from orchestration.activation.authority import Approval, accept
from orchestration.activation.contact_day import ContactDay, read_contact_day
from orchestration.activation.first_activation import record_first_activation
from orchestration.activation.gate import (
    Decision,
    Identifier,
    Policy,
    decide,
    load_states,
)
from orchestration.activation.moments import Clock, running
from orchestration.activation.outbox import SyncRun
from orchestration.activation.pace import LONGEST_WAIT, Pace, PausedError
from orchestration.activation.people import Target, load_identifiers
from orchestration.activation.plan import (
    OPEN_STATES,
    HeldBack,
    Plan,
    addresses_of,
    build_plan,
    open_rows,
    refusal,
)
from orchestration.activation.planned import note_planned
from orchestration.activation.settlement import BatchKey, Queued
from orchestration.activation.tickets import ask_open_tickets
from orchestration.activation.withdrawals import hear, hear_outcomes
from orchestration.activation.withdrawals_written import write_withdrawals
from orchestration.destinations.base import (
    Audience,
    Batch,
    Destination,
    DestinationFailedError,
    Payload,
    RetryLaterError,
    TellsWithdrawals,
    own_words,
    reason_of,
    renewal,
)
from orchestration.home.layout import Home
from orchestration.home.lock import hold
from orchestration.ops import schema
from orchestration.ops.store import Store, StoreError, to_micros

MAX_ROUNDS = 8
MAX_FINISHES = 3
ASKED_AT_ONCE = 5_000  # members whose facts are looked up together


@dataclass(frozen=True)
class SyncReport:
    """What one sync did, in counts. `left` are rows that did not come to their end, by state."""

    sync_run_id: str
    target: Target
    plan_hash: str
    planned: int
    sent: dict[str, int]
    held_back: dict[str, int]
    unchanged: int
    left: dict[str, int]


@dataclass
class _Session:
    """What every step of one sync needs."""

    store: Store
    home: Home
    target: Target
    destination: Destination
    at: datetime  # when it began
    now: Clock
    policy: Policy
    wait: Callable[[float], None]
    day: ContactDay | None = None  # none where nothing but removals leaves
    identifiers: dict[str, list[Identifier]] = field(default_factory=dict)
    withheld: Counter[str] = field(default_factory=Counter)
    withheld_people: set[str] = field(default_factory=set)
    sent: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)

    @cached_property
    def pace(self) -> Pace:
        """How often the destination may be called."""
        rates = self.destination.limits.rates
        return Pace(self.store, self.destination.name, rates, self.wait)


def sync(
    store: Store,
    home: Home,
    target: Target,
    destination: Destination,
    *,
    at: datetime,
    approval: Approval | None = None,
    double_opt_in: bool = False,
    day: ContactDay | None = None,
    clock: Clock | None = None,
    refusals_are_read: bool = False,
    plan: Plan | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> SyncReport:
    """Bring the destination's audience up to date; safe to repeat after any failure.

    Args:
        store: the operational store.
        home: whose published file and lock are used.
        target: the segment and its destination.
        destination: the adapter, already opened.
        at: when the sync begins; opt-ins that lie after the moment of a batch do not count yet.
        approval: if given, exactly this plan and no other is carried out.
        double_opt_in: whether opt-ins need proof.
        day: what the decision knows of the published file, if it was read already.
        clock: tells the moment of each batch; without it, `at` and what has passed since.
        refusals_are_read: whether a sync of another segment has just asked who refused there,
            and told it.
        plan: one that was made of the same day just before, kept to where neither a killed sync
            nor the destination has anything to say that it does not know.
        wait: how to wait between rounds (tests do not).

    Raises:
        ApprovalError: the differences are not the approved ones; nothing was sent.
        StoreError: the permission facts cannot be read; nothing was sent.
        BusyError: another process holds the home.
    """
    if target.channel not in destination.channels:
        raise UsageError(
            f"`{destination.name}` does not reach the channel {target.channel}.",
            f"It reaches {', '.join(sorted(destination.channels))}.",
        )
    policy = Policy(target.channel, target.purpose, double_opt_in)
    with hold(home.sending_lock):
        now = clock or running(at)
        day = day or read_contact_day(home)
        session = _Session(store, home, target, destination, at, now, policy, wait, day)
        with store.write() as connection:
            halfway = _recover(session, connection)
        unheard = None if refusals_are_read else hear(store, destination, session.pace, now())
        untold = (
            None
            if refusals_are_read
            else write_withdrawals(store, home, destination, session.pace, now())
        )
        answered = ask_open_tickets(store, target, destination, session.pace, now())
        session.sent.update(each.row.operation for each in answered.arrived)
        if (
            plan is None
            or halfway
            or answered.asked
            or not (refusals_are_read or _is_silent(session))
        ):
            plan = _plan(session)
        sync_run = _begin(session, plan, approval)
        _clear_half_done(session, halfway)
        _drain(session)
        _remove_withheld(session, sync_run)
        for _ in range(MAX_FINISHES):
            withheld = session.withheld.total()
            _finish(session, sync_run)
            if session.withheld.total() == withheld:
                break
            _remove_withheld(session, sync_run)
        for failure in (answered.failure, unheard, untold):
            if failure is not None:
                raise failure  # told last: a removal does not wait for an answer
        return _report(session, sync_run, plan)


def remove(
    store: Store,
    home: Home,
    target: Target,
    destination: Destination,
    plan: Plan,
    *,
    at: datetime,
    double_opt_in: bool = False,
    wait: Callable[[float], None] = time.sleep,
) -> tuple[int, int]:
    """Queue and send the removals of a plan and nothing else; how many arrived, or were accepted.

    What waits of other people is left for the next sync. The destination then closes the sync run,
    so that an audience that it keeps as a whole is without them too.

    Raises:
        RegularsError: the destination did not take them; they stay queued.
        BusyError: another process holds the home.
    """
    policy = Policy(target.channel, target.purpose, double_opt_in)
    session = _Session(store, home, target, destination, at, running(at), policy, wait)
    with hold(home.sending_lock):
        with store.write() as connection:
            _recover(session, connection)
            sync_run_id = outbox.new_sync_run_id(connection, target, at)
            sync_run = SyncRun(sync_run_id, target, at)
            outbox.open_sync_run(connection, plan, sync_run)
            outbox.queue(
                connection, plan, sync_run, {}, destination=destination, only_removals=True
            )
        for attempt in range(MAX_ROUNDS):
            with store.read() as connection:
                batches = settlement.pending_batches(connection, target)
            own = [batch for batch in batches if batch[0] == sync_run_id]
            if not own:
                break
            asked = max(_send(session, batch) for batch in own)
            if asked > LONGEST_WAIT:
                break
            if attempt and not asked:
                wait(0.5 * 2**attempt)
        _finish(session, sync_run)
    return session.sent["removed"], session.accepted["removed"]


def _recover(session: _Session, connection: Connection) -> list[BatchKey]:
    destination = session.destination
    return settlement.recover(
        connection,
        session.target,
        destination.idempotency,
        session.at,
        acknowledgement=destination.acknowledgement,
    )


def _plan(session: _Session) -> Plan:
    return build_plan(
        session.store,
        session.home,
        session.target,
        at=session.now(),
        double_opt_in=session.policy.double_opt_in,
        day=session.day,
        renewed_after=renewal(session.destination),
    )


def _is_silent(session: _Session) -> bool:
    """Whether the destination never tells who refused there."""
    return not isinstance(session.destination, TellsWithdrawals)


def _begin(session: _Session, plan: Plan, approval: Approval | None) -> SyncRun:
    """Check the approval and queue the plan, both or neither."""
    with session.store.write() as connection:
        rows = open_rows(connection, session.target)
        if approval is not None:
            accept(connection, plan, approval, session.now())
        sync_run = SyncRun(
            outbox.new_sync_run_id(connection, session.target, session.at),
            session.target,
            session.at,
        )
        outbox.open_sync_run(connection, plan, sync_run)
        if session.day is not None:
            record_first_activation(connection, session.target, session.day.as_of, session.at)
            note_planned(connection, session.day, plan, session.at)
        outbox.queue(connection, plan, sync_run, rows, destination=session.destination)
    return sync_run


def _clear_half_done(session: _Session, batches: list[BatchKey]) -> None:
    """Batches of a killed sync whose rows were all superseded still have to be taken back."""
    with session.store.read() as connection:
        pending = set(settlement.pending_batches(connection, session.target))
        empty = [batch for batch in batches if batch not in pending]
        emptied = [
            _batch(session, settlement.sync_run_of(connection, session.target, key[0]), key, [])
            for key in empty
        ]
    for batch in emptied:
        with own_words(session.destination.name):
            session.destination.deliver(batch)


def _drain(session: _Session) -> None:
    """Send what is pending, in rounds, until nothing is or the destination keeps refusing."""
    for attempt in range(MAX_ROUNDS):
        with session.store.read() as connection:
            batches = settlement.pending_batches(connection, session.target)
            customers = settlement.pending_customers(connection, session.target)
        if not batches:
            return
        missing = customers - session.identifiers.keys()
        session.identifiers.update(load_identifiers(session.home, missing))
        sent_before = session.sent.total()
        asked = max((_send(session, batch) for batch in batches), default=0.0)
        with session.store.read() as connection:
            left = settlement.pending_batches(connection, session.target)
        if asked > LONGEST_WAIT:
            return
        if left and not asked and attempt + 1 < MAX_ROUNDS:
            has_moved = session.sent.total() > sent_before
            session.wait(0.0 if has_moved else 0.5 * 2**attempt)


def _send(session: _Session, key: BatchKey) -> float:
    """Claim and deliver one batch; returns the seconds the destination asked us to wait.

    They are kept, so that nobody calls it before: the next call waits, here or elsewhere.
    """
    store, target = session.store, session.target
    try:
        session.pace.take()
    except PausedError as error:
        return error.wait_seconds or 0.0
    with store.write() as connection:
        settlement.claim(connection, target, key, session.now())
    try:
        with store.write() as connection:
            _hold_permission(connection)
            _deliver_claimed(session, connection, key)
    except DestinationFailedError:
        raise  # its rows stay claimed, as after a kill
    except RegularsError as error:
        with store.write() as connection:
            settlement.put_back(connection, target, key, reason_of(error), session.now())
        if not isinstance(error, RetryLaterError):
            raise
        return session.pace.heed(error)
    return 0.0


def _deliver_claimed(session: _Session, connection: Connection, key: BatchKey) -> None:
    """Ask the gate about the batch's people as things stand now, deliver, and record."""
    at = session.now()
    original = settlement.sync_run_of(connection, session.target, key[0])
    queued = settlement.claimed_rows(connection, session.target, key)
    asked = [
        (each.row.customer_id, each.row.payload)
        for each in queued
        if each.row.operation != "removed"
    ]
    permitted = _decide(session, connection, asked, at)
    there = {each.row.customer_id for each in queued if each.row.previous or each.may_have_arrived}
    decisions = _of_the_day(session, connection, permitted, at, key, there)
    passed, refused = [], []
    for each in queued:
        decision = decisions.get(each.row.customer_id)
        if each.row.operation == "removed":
            passed.append(each)
        elif decision and decision.reason is None:
            passed.append(replace(each, receipt_id=decision.receipt_id))
        else:
            reason = decision.reason if decision and decision.reason else Reason.UNKNOWN_PERSON
            refused.append((each, HeldBack(each.row.customer_id, reason)))
            session.withheld[str(reason)] += 1
            session.withheld_people.add(each.row.customer_id)
    settlement.withhold(connection, SyncRun(key[0], session.target, at), refused)
    batch = _batch(session, original, key, passed)
    with own_words(session.destination.name):
        outcomes = session.destination.deliver(batch)
    hear_outcomes(connection, session.destination.name, outcomes, at)
    settled = settlement.settle(
        connection,
        original,
        passed,
        {outcome.key: outcome for outcome in outcomes},
        idempotency=session.destination.idempotency,
        acknowledgement=session.destination.acknowledgement,
        at=to_micros(at),
    )
    session.sent.update(each.row.operation for each in settled.arrived)
    session.accepted.update(each.row.operation for each in settled.accepted)


def _decide(
    session: _Session, connection: Connection, asked: Sequence[tuple[str, Payload]], at: datetime
) -> dict[str, Decision]:
    """The gate's answers, each for the very addresses in the customer's payload."""
    known = {customer: session.identifiers.get(customer, []) for customer, _ in asked}
    keys = {identifier.key for identifiers in known.values() for identifier in identifiers}
    states = load_states(connection, keys, session.policy, to_micros(at))
    answers = {}
    for customer, payload in asked:
        identifiers, addresses = known[customer], addresses_of(payload, session.target)
        own = {identifier.key for identifier in identifiers}
        if identifiers and not (addresses and own.issuperset(addresses)):
            answers[customer] = Decision(Reason.ADDRESS_CHANGED)
            continue
        decisions = [
            decide(identifiers, states, session.policy, address=address) for address in addresses
        ] or [decide(identifiers, states, session.policy)]
        answers[customer] = next((each for each in decisions if not each.allowed), decisions[0])
    return answers


def _of_the_day(
    session: _Session,
    connection: Connection,
    decisions: Mapping[str, Decision],
    at: datetime,
    batch: BatchKey,
    there: Collection[str],
) -> dict[str, Decision]:
    """The gate's answers, narrowed to whom the decision still gives to this segment now.

    `there`: whom the destination has, or may have, so that a baseline does not ask about them.
    """
    passed = [customer_id for customer_id, decision in decisions.items() if decision.allowed]
    if not passed:
        return dict(decisions)
    if session.day is None:
        raise StoreError("Nobody decided who gets this; nothing was sent.", "Sync again.")
    judged = session.day.judge(
        connection, at, only=passed, double_opt_in=session.policy.double_opt_in, batch=batch
    )
    baseline = session.day.baseline_members(connection, session.target, passed) - set(there)
    narrowed = dict(decisions)
    for customer_id in passed:
        verdict = judged.verdicts.get(customer_id, {}).get(session.target.segment)
        reason = refusal(verdict, session.target)
        if reason is None and customer_id in baseline:
            reason = Reason.BASELINE
        if reason is not None:
            narrowed[customer_id] = Decision(reason)
    return narrowed


def _remove_withheld(session: _Session, sync_run: SyncRun) -> None:
    """Whoever the gate stopped on the way is removed now, not by the next sync."""
    if not session.withheld:
        return
    if session.day is not None and session.day.only is not None:
        also = session.day.only | session.withheld_people
        session.day = replace(session.day, only=also)
    plan = _plan(session)
    with session.store.write() as connection:
        rows = open_rows(connection, session.target)
        outbox.queue(
            connection,
            plan,
            sync_run,
            rows,
            destination=session.destination,
            only_removals=True,
        )
    _drain(session)


def _finish(session: _Session, sync_run: SyncRun) -> None:
    """Let the destination close the sync run, then say so; a kill in between repeats both."""
    target = session.target
    with session.store.write() as connection:
        _hold_permission(connection)
        audience = Audience(
            sync_run.sync_run_id,
            target.segment,
            session.at,
            target.columns,
            _members(session, connection),
        )
        with own_words(session.destination.name):
            session.destination.finish(audience)
    with session.store.write() as connection:
        table = schema.sync_runs
        left = bool(settlement.pending_batches(connection, target))
        connection.execute(
            update(table)
            .where(
                table.c.destination == target.destination,
                table.c.segment == target.segment,
                table.c.status != "done",
            )
            .values(status="incomplete" if left else "done", finished_at=to_micros(session.now()))
        )


def _members(session: _Session, connection: Connection) -> Iterator[Payload]:
    """Whom the destination has and the gate still permits; who is refused waits for removal."""
    target, table = session.target, schema.audience_states.c
    query = (
        select(table.customer_id, table.payload)
        .where(
            table.destination == target.destination,
            table.segment == target.segment,
            table.is_member.is_(True),
        )
        .order_by(table.customer_id)
    )
    rows = iter(connection.execute(query).tuples().all())
    while chunk := [
        (who, json.loads(payload_text or "{}")) for who, payload_text in islice(rows, ASKED_AT_ONCE)
    ]:
        missing = {who for who, _ in chunk} - session.identifiers.keys()
        session.identifiers.update(load_identifiers(session.home, missing))
        decisions = _decide(session, connection, chunk, session.now())
        for who, payload in chunk:
            reason = decisions[who].reason
            if reason is None:
                yield payload
            else:
                session.withheld[str(reason)] += 1
                session.withheld_people.add(who)


def _batch(session: _Session, original: SyncRun, key: BatchKey, queued: list[Queued]) -> Batch:
    return Batch(
        sync_run_id=original.sync_run_id,
        segment=session.target.segment,
        number=key[1],
        started_at=original.started_at,
        columns=session.target.columns,
        rows=tuple(each.row for each in queued),
    )


def _report(session: _Session, sync_run: SyncRun, plan: Plan) -> SyncReport:
    table = schema.outbox.c
    query = outbox.of_pair(select(table.state, func.count()), session.target)
    with session.store.read() as connection:
        rows = connection.execute(
            query.where(table.state.in_(OPEN_STATES)).group_by(table.state)
        ).all()
    return SyncReport(
        sync_run_id=sync_run.sync_run_id,
        target=session.target,
        plan_hash=plan.plan_hash,
        planned=len(plan.changes),
        sent={name: session.sent[name] for name in ("added", "updated", "removed")},
        held_back=dict(Counter(plan.held_back_counts) + session.withheld),
        unchanged=plan.unchanged_count,
        left={str(row[0]): int(row[1]) for row in rows},
    )


def _hold_permission(connection: Connection) -> None:
    """Keep facts from changing until the batch is recorded; SQLite's write lock does so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("lock table consent_events, suppressions, tombstones in share row exclusive mode")
        )
