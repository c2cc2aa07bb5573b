"""Rows that a destination accepted and applies later: asking what came of them.

Belongs here: which tickets are open, asking by them, and what the answers change. Does not belong
here: how a row comes to be accepted (`settlement`), and when to ask (`sync`, `release`).

A row whose place something newer took keeps its ticket until it is answered: the destination may
apply its jobs in any order. Where an earlier row turns out to be applied and a later one had left
before that was known, nobody knows which was last. The person is then in doubt, and the next plan
sends one more row, which leaves after both. Tickets are asked about in the order in which they were
accepted, so that a later one without an answer is certain to be applied after an earlier one that
has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from ingestion.errors import RegularsError
from orchestration.activation.outbox import new_state, of_pair, set_states
from orchestration.activation.pace import Pace
from orchestration.activation.people import Target
from orchestration.activation.settlement import (
    NO_NAME,
    BatchKey,
    Queued,
    record_deliveries,
    state_of,
    sync_run_of,
    unsettled,
)
from orchestration.activation.withdrawals import hear_outcomes
from orchestration.destinations.base import (
    AnswersLater,
    Destination,
    Idempotency,
    Outcome,
    RetryLaterError,
    Row,
    own_words,
)
from orchestration.ops import schema
from orchestration.ops.store import Store, execute_many, in_parts, to_micros, upsert


@dataclass(frozen=True, slots=True)
class Ticket:
    """A job of the destination, with the rows of one batch in it; `current`: keys of those that
    nothing newer took the place of.
    """

    name: str
    batch: BatchKey
    accepted_at: int
    queued: tuple[Queued, ...]
    current: frozenset[str]


@dataclass(frozen=True)
class Answered:
    """What asking came to: the rows that arrived, and why it broke off, if it did. `asked`: whether
    there was anything to ask about."""

    arrived: tuple[Queued, ...] = ()
    failure: RegularsError | None = None
    asked: bool = False


def ask_open_tickets(
    store: Store, target: Target, destination: Destination, pace: Pace, at: datetime
) -> Answered:
    """Ask a destination about all that it accepted of a segment, and record its answers.

    A destination that cannot be asked now leaves everything as it is, but for rows that waited
    longer than its patience. One that cannot be asked at all any more has no patience.
    """
    with store.read() as connection:
        tickets = open_tickets(connection, target)
    if not tickets:
        return Answered()
    answers: list[Mapping[str, Outcome]] = []
    failure = None
    patience = timedelta(0)
    if isinstance(destination, AnswersLater):
        patience = destination.patience
        try:
            for ticket in tickets:
                answers.append(_ask(destination, destination.name, target.segment, ticket, pace))
        except RetryLaterError as error:
            pace.heed(error)
        except RegularsError as error:
            failure = error
    answers += [{}] * (len(tickets) - len(answers))
    with store.write() as connection:
        hear_outcomes(
            connection,
            destination.name,
            (each for by_key in answers for each in by_key.values()),
            at,
        )
        arrived = record_answers(
            connection,
            target,
            list(zip(tickets, answers, strict=True)),
            idempotency=destination.idempotency,
            patience=patience,
            at=at,
        )
    return Answered(tuple(arrived), failure, asked=True)


def pairs_with_open_tickets(connection: Connection) -> set[tuple[str, str]]:
    """Segment and destination wherever something accepted waits for an answer."""
    table = schema.outbox.c
    query = select(table.segment, table.destination).where(_is_open()).distinct()
    return {(row[0], row[1]) for row in connection.execute(query)}


def open_tickets(connection: Connection, target: Target) -> list[Ticket]:
    """What is still to be asked about, in the order in which it was accepted."""
    table = schema.outbox.c
    query = of_pair(
        select(
            table.accepted_at,
            table.created_at,
            table.sync_run_id,
            table.batch,
            table.ticket,
            table.idempotency_key,
            table.customer_id,
            table.version,
            table.operation,
            table.payload,
            table.content_hash,
            table.consent_receipt_id,
            table.state,
        ),
        target,
    ).where(_is_open())
    ordered = query.order_by(
        table.accepted_at, table.created_at, table.sync_run_id, table.batch, table.ticket
    ).order_by(table.customer_id, table.version)
    tickets = []
    for key, group in groupby(connection.execute(ordered), key=lambda row: tuple(row[:5])):
        rows = list(group)
        queued = tuple(
            Queued(Row(r[5], r[6], r[7], r[8], json.loads(r[9] or "{}")), r[10], True, r[11])
            for r in rows
        )
        current = frozenset(row[5] for row in rows if row[12] == "accepted")
        tickets.append(Ticket(key[4], (key[2], key[3]), key[0], queued, current))
    return tickets


def record_answers(
    connection: Connection,
    target: Target,
    answers: Sequence[tuple[Ticket, Mapping[str, Outcome]]],
    *,
    idempotency: Idempotency,
    patience: timedelta,
    at: datetime,
) -> list[Queued]:
    """Move the rows of tickets as their answers say, all at once; returns those that arrived.

    A row without an answer for longer than the patience may have arrived or not.
    """
    moment = to_micros(at)
    arrived: list[Queued] = []
    closed: list[str] = []
    late: list[tuple[Queued, bool]] = []
    for ticket, outcomes in answers:
        is_overdue = ticket.accepted_at <= to_micros(at - patience)
        final = [
            (each, outcome, each.row.key in ticket.current)
            for each in ticket.queued
            if (outcome := _final(outcomes.get(each.row.key), each.row.key, is_overdue=is_overdue))
        ]
        here = [each for each, outcome, _ in final if outcome.status == "delivered"]
        original = sync_run_of(connection, target, ticket.batch[0])
        record_deliveries(connection, original, here, moment)
        current = (each for each in here if each.row.key in ticket.current)
        upsert(connection, schema.audience_states, (state_of(each, target) for each in current))
        moves = [
            unsettled(each.row, outcome, idempotency, moment)
            if is_current
            else new_state(each.row.key, "superseded", None, moment, keep_payload=False)
            for each, outcome, is_current in final
            if outcome.status != "delivered"
        ]
        set_states(connection, moves)
        arrived += here
        closed += [each.row.key for each, _, _ in final]
        late += [
            (each, outcome.status == "delivered")
            for each, outcome, is_current in final
            if not is_current and outcome.status in ("delivered", "unknown")
        ]
    _close(connection, closed)
    _doubt(connection, target, late, idempotency)
    return arrived


def _ask(
    destination: AnswersLater, name: str, segment: str, ticket: Ticket, pace: Pace
) -> dict[str, Outcome]:
    if ticket.name == NO_NAME:
        return {}
    pace.take()
    rows = [queued.row for queued in ticket.queued]
    with own_words(name):
        return {outcome.key: outcome for outcome in destination.ask(segment, ticket.name, rows)}


def _final(outcome: Outcome | None, key: str, *, is_overdue: bool) -> Outcome | None:
    """The answer about a row; None while it may be waited for."""
    if outcome is not None and outcome.status != "accepted":
        return outcome
    return Outcome(key, "unknown", "no_answer") if is_overdue else None


def _close(connection: Connection, keys: Sequence[str]) -> None:
    """These are not asked about again."""
    table = schema.outbox
    statement = update(table).where(table.c.idempotency_key == bindparam("key"))
    execute_many(connection, statement.values(ticket=None), [{"key": key} for key in keys])


def _doubt(
    connection: Connection,
    target: Target,
    late: Sequence[tuple[Queued, bool]],
    idempotency: Idempotency,
) -> None:
    """What the destination has of people of whom an earlier row was, or may be, applied late.

    Where a message would be sent twice, only a removal is sent once more.
    """
    tried = _tried(connection, target, {each.row.customer_id for each, _ in late})
    states = []
    for each, has_arrived in sorted(late, key=lambda pair: pair[0].row.version):
        row = each.row
        newer = [rest for rest in tried.get(row.customer_id, ()) if rest[0] > row.version]
        if not newer and has_arrived:
            states.append(state_of(each, target))
        elif newer and (idempotency is not Idempotency.NONE or max(newer)[1] == "removed"):
            states.append(state_of(each, target, in_doubt=True))
    upsert(connection, schema.audience_states, states)


def _tried(
    connection: Connection, target: Target, people: Iterable[str]
) -> dict[str, list[tuple[int, str]]]:
    """Version and operation of rows that may be applied already, by customer_id.

    Those that have a ticket with a name are certain to come later than what is answered now.
    """
    table = schema.outbox.c
    ordered, tried = sorted(people), dict[str, list[tuple[int, str]]]()
    query = of_pair(select(table.customer_id, table.version, table.operation), target).where(
        table.attempts > 0,
        (table.state != "withheld") | (table.attempts > 1),
        ~_is_open() | (table.ticket == NO_NAME),
    )
    for some in in_parts(ordered):
        rows = connection.execute(query.where(table.customer_id.in_(some)))
        for customer_id, version, operation in rows.tuples():
            tried.setdefault(str(customer_id), []).append((int(version), str(operation)))
    return tried


def _is_open() -> ColumnElement[bool]:
    table = schema.outbox.c
    return table.ticket.is_not(None) & table.state.in_(schema.ASKED_STATES)
