"""Rows on their last steps: claimed, handed over, and what became of them.

Belongs here: the transitions of outbox rows while a sync runs, and the ledger, in transactions that
a kill cannot tear. Does not belong here: queueing (`outbox`), talking to destinations (`sync`), or
what becomes of accepted rows once they are asked about (`tickets`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, select, update

from orchestration.activation.outbox import (
    ORDER,
    SyncRun,
    dumps,
    new_state,
    of_pair,
    record_held_back,
    set_states,
)
from orchestration.activation.people import Target
from orchestration.activation.plan import HeldBack
from orchestration.destinations.base import Acknowledgement, Idempotency, Outcome, Row, as_code
from orchestration.ops import schema
from orchestration.ops.store import append, execute_many, from_micros, to_micros, upsert

BatchKey = tuple[str, int]
NO_NAME = ""  # the ticket of a job of which only this is known, that it may have begun


@dataclass(frozen=True, slots=True)
class Queued:
    """A row on its last steps and the facts needed to settle it.

    `receipt_id`: the permission on which it leaves; removals need none.
    """

    row: Row
    content_hash: str
    may_have_arrived: bool
    receipt_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """Of rows that were handed over, those that arrived and those that are applied later."""

    arrived: tuple[Queued, ...]
    accepted: tuple[Queued, ...]


def recover(
    connection: Connection,
    target: Target,
    idempotency: Idempotency,
    at: datetime,
    *,
    acknowledgement: Acknowledgement = Acknowledgement.APPLIED,
) -> list[BatchKey]:
    """Take back rows that a killed sync had claimed; returns batches it may have half-done.

    Rows that may be repeated are pending again, and so are removals. Where not, nobody can know.
    Where a job may have begun to apply them later, they are lost under no name (`_lose`).
    """
    table = schema.outbox
    claimed = of_pair(select(table.c.sync_run_id, table.c.batch), target)
    rows = connection.execute(claimed.where(table.c.state == "sending").distinct())
    batches: list[BatchKey] = sorted((row[0], row[1]) for row in rows)
    here = _in_flight(target)
    values = {"last_error": "interrupted", "in_doubt": True, "updated_at": to_micros(at)}
    all_of_them = idempotency is not Idempotency.NONE
    repeatable = here if all_of_them else and_(here, table.c.operation == "removed")
    if acknowledgement is Acknowledgement.ASKABLE:
        _lose(connection, target, _queued_where(connection, repeatable), to_micros(at))
    connection.execute(update(table).where(repeatable).values(state="pending", **values))
    connection.execute(update(table).where(here).values(state="unknown", **values))
    return batches


def pending_batches(connection: Connection, target: Target) -> list[BatchKey]:
    """Batches with rows to send, oldest first."""
    table = schema.outbox.c
    query = of_pair(
        select(func.min(table.created_at), table.sync_run_id, table.batch), target
    ).where(table.state == "pending")
    rows = connection.execute(query.group_by(table.sync_run_id, table.batch))
    batches: list[tuple[int, str, int]] = sorted((row[0], row[1], row[2]) for row in rows)
    return [(sync_run_id, batch) for _, sync_run_id, batch in batches]


def pending_customers(connection: Connection, target: Target) -> set[str]:
    """Who has rows to send."""
    table = schema.outbox.c
    query = of_pair(select(table.customer_id), target).where(table.state == "pending")
    return set(connection.execute(query).scalars())


def claim(connection: Connection, target: Target, batch: BatchKey, at: datetime) -> None:
    """Mark a batch's pending rows as being sent, before anything leaves."""
    table = schema.outbox
    connection.execute(
        update(table)
        .where(
            table.c.destination == target.destination,
            table.c.segment == target.segment,
            table.c.sync_run_id == batch[0],
            table.c.batch == batch[1],
            table.c.state == "pending",
        )
        .values(state="sending", attempts=table.c.attempts + 1, updated_at=to_micros(at))
    )


def claimed_rows(connection: Connection, target: Target, batch: BatchKey) -> list[Queued]:
    """The claimed rows of a batch, removals first, with what the destination has of each person."""
    table = schema.outbox.c
    own = and_(table.sync_run_id == batch[0], table.batch == batch[1])
    return _queued_where(connection, and_(_in_flight(target), own))


def settle(
    connection: Connection,
    sync_run: SyncRun,
    queued: Sequence[Queued],
    outcomes: Mapping[str, Outcome],
    *,
    idempotency: Idempotency,
    acknowledgement: Acknowledgement,
    at: int,
) -> Settled:
    """Record what became of rows that were handed over.

    A refused removal stays pending: it is tried again by every sync until it succeeds (A4). What is
    accepted counts as sent where the destination cannot be asked later.
    """
    can_be_asked = acknowledgement is Acknowledgement.ASKABLE
    arrived, accepted, lost, rest = [], [], [], []
    for each in queued:
        outcome = outcomes.get(each.row.key) or Outcome(each.row.key, "unknown", "no_answer")
        if outcome.status == "accepted" and can_be_asked:
            accepted.append((each, outcome.ticket))
        elif outcome.status in ("accepted", "delivered"):
            arrived.append(each)
        elif outcome.status == "unknown" and can_be_asked and may_repeat(each.row, idempotency):
            lost.append(each)
        else:
            rest.append(unsettled(each.row, outcome, idempotency, at))
    is_known = acknowledgement is not Acknowledgement.UNKNOWABLE
    record_deliveries(connection, sync_run, arrived, at, is_known=is_known)
    upsert(connection, schema.audience_states, (state_of(q, sync_run.target) for q in arrived))
    _accept(connection, accepted, at)
    _lose(connection, sync_run.target, lost, at)
    set_states(connection, rest)
    return Settled(tuple(arrived), tuple(each for each, _ in accepted))


def record_deliveries(
    connection: Connection,
    sync_run: SyncRun,
    arrived: Sequence[Queued],
    at: int,
    *,
    is_known: bool = True,
) -> None:
    """Write rows that arrived into the ledger and close them; `is_known`: that they are applied."""
    outcome = "delivered" if is_known else "accepted"
    append(connection, schema.deliveries, (_delivery(q, sync_run, outcome, at) for q in arrived))
    set_states(
        connection, [new_state(q.row.key, "sent", None, at, keep_payload=False) for q in arrived]
    )


def withhold(
    connection: Connection, sync_run: SyncRun, refused: Sequence[tuple[Queued, HeldBack]]
) -> None:
    """Record rows that the gate stopped at the moment of sending.

    One that an earlier try may have brought there counts as being there, so that the next plan
    removes it.
    """
    at = to_micros(sync_run.started_at)
    set_states(
        connection,
        [
            new_state(each.row.key, "withheld", str(held.reason), at, keep_payload=False)
            for each, held in refused
        ],
    )
    in_doubt = [each for each, _ in refused if each.may_have_arrived]
    upsert(connection, schema.audience_states, (state_of(q, sync_run.target) for q in in_doubt))
    record_held_back(connection, sync_run, [held for _, held in refused])


def put_back(
    connection: Connection, target: Target, batch: BatchKey, reason: str, at: datetime
) -> None:
    """Make claimed rows pending again: the destination took none of them."""
    table = schema.outbox
    connection.execute(
        update(table)
        .where(
            _in_flight(target),
            table.c.sync_run_id == batch[0],
            table.c.batch == batch[1],
        )
        .values(state="pending", last_error=reason, updated_at=to_micros(at))
    )


def sync_run_of(connection: Connection, target: Target, sync_run_id: str) -> SyncRun:
    """The sync run that queued a batch; it may be an earlier one than the one that runs."""
    table = schema.sync_runs.c
    query = select(table.started_at).where(table.sync_run_id == sync_run_id)
    started_at: int = connection.execute(query).scalar_one()
    return SyncRun(sync_run_id, target, from_micros(started_at))


def _in_flight(target: Target) -> Any:
    table = schema.outbox.c
    return and_(
        table.destination == target.destination,
        table.segment == target.segment,
        table.state == "sending",
    )


def _delivery(queued: Queued, sync_run: SyncRun, outcome: str, at: int) -> dict[str, Any]:
    row, target = queued.row, sync_run.target
    return {
        "delivery_id": row.key,
        "sync_run_id": sync_run.sync_run_id,
        "segment": target.segment,
        "destination": target.destination,
        "customer_id": row.customer_id,
        "version": row.version,
        "operation": row.operation,
        "channel": target.channel,
        "purpose": target.purpose,
        "consent_receipt_id": queued.receipt_id,
        "content_hash": queued.content_hash,
        "delivered_at": at,
        "outcome": outcome,
    }


def state_of(queued: Queued, target: Target, *, in_doubt: bool = False) -> dict[str, Any]:
    """What the destination has once a row has arrived there; somebody in doubt counts as there."""
    row = queued.row
    is_member = in_doubt or row.operation != "removed"
    return {
        "destination": target.destination,
        "segment": target.segment,
        "customer_id": row.customer_id,
        "version": row.version,
        "is_member": is_member,
        "content_hash": queued.content_hash,
        "payload": dumps(row.payload) if is_member else None,
        "in_doubt": in_doubt,
    }


def may_repeat(row: Row, idempotency: Idempotency) -> bool:
    """Whether the destination may get the row twice."""
    return row.operation == "removed" or idempotency is not Idempotency.NONE


def unsettled(row: Row, outcome: Outcome, idempotency: Idempotency, at: int) -> dict[str, Any]:
    """The move of a row that was not taken, or nobody knows whether."""
    state = {"retry": "pending", "unknown": "unknown", "rejected": "dead"}[outcome.status]
    is_refused_removal = state == "dead" and row.operation == "removed"
    in_doubt = state == "unknown"
    if is_refused_removal or (in_doubt and may_repeat(row, idempotency)):
        state = "pending"
    reason = as_code(outcome.reason) if outcome.reason else outcome.status
    return new_state(row.key, state, reason, at, keep_payload=True, in_doubt=in_doubt)


def _queued_where(connection: Connection, condition: Any) -> list[Queued]:
    """Rows of the outbox, removals first, with what the destination has of each person."""
    table, states = schema.outbox.c, schema.audience_states.c
    query = (
        select(
            table.idempotency_key,
            table.customer_id,
            table.version,
            table.operation,
            table.payload,
            table.content_hash,
            states.payload,
            (table.attempts > 1) | table.in_doubt,
        )
        .join_from(
            schema.outbox,
            schema.audience_states,
            (table.destination == states.destination)
            & (table.segment == states.segment)
            & (table.customer_id == states.customer_id)
            & states.is_member.is_(True),
            isouter=True,
        )
        .where(condition)
    )
    rows = [
        Queued(Row(r[0], r[1], r[2], r[3], _loads(r[4]) or {}, _loads(r[6])), r[5], bool(r[7]))
        for r in connection.execute(query)
    ]
    return sorted(rows, key=lambda q: (ORDER[q.row.operation], q.row.customer_id))


def _lose(connection: Connection, target: Target, lost: Sequence[Queued], at: int) -> None:
    """Give up rows that were handed over without an answer, where a job may apply them later.

    Nobody knows the job's name, so that the row waits without one until the destination's patience
    is over. What the destination has is in doubt at once: the next plan sends a new row.
    """
    _accept(connection, [(each, NO_NAME) for each in lost], at, state="superseded")
    doubtful = (state_of(each, target, in_doubt=True) for each in lost)
    upsert(connection, schema.audience_states, doubtful)


def _accept(
    connection: Connection,
    accepted: Sequence[tuple[Queued, str]],
    at: int,
    *,
    state: str = "accepted",
) -> None:
    """Keep rows with the ticket to ask by, and the permission that they left on."""
    table = schema.outbox
    statement = (
        update(table)
        .where(table.c.idempotency_key == bindparam("key"))
        .values(
            state=state,
            ticket=bindparam("job"),
            accepted_at=at,
            consent_receipt_id=bindparam("receipt"),
            last_error=None,
            updated_at=at,
        )
    )
    execute_many(
        connection,
        statement,
        [
            {"key": each.row.key, "job": ticket, "receipt": each.receipt_id}
            for each, ticket in accepted
        ],
    )


def _loads(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(json.loads(text))
