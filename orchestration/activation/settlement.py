"""Rows on their last steps: claimed, handed over, and what became of them.

Belongs here: the transitions of outbox rows while a sync runs, and the ledger, in transactions that
a kill cannot tear. Does not belong here: queueing (`outbox`) or talking to destinations (`sync`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select, update

from orchestration.activation.gate import Decision
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
from orchestration.destinations.base import Idempotency, Outcome, Row
from orchestration.ops import schema
from orchestration.ops.store import append, from_micros, to_micros, upsert

BatchKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Queued:
    """A claimed row and the facts needed to settle it."""

    row: Row
    content_hash: str
    may_have_arrived: bool


def recover(
    connection: Connection, target: Target, idempotency: Idempotency, at: datetime
) -> list[BatchKey]:
    """Take back rows that a killed sync had claimed; returns batches it may have half-done.

    Rows that may be repeated are pending again, and so are removals. Where not, nobody can know.
    """
    table = schema.outbox
    claimed = of_pair(select(table.c.sync_run_id, table.c.batch), target)
    rows = connection.execute(claimed.where(table.c.state == "sending").distinct())
    batches: list[BatchKey] = sorted((row[0], row[1]) for row in rows)
    may_repeat = idempotency is not Idempotency.NONE
    here = _in_flight(target)
    values = {"last_error": "interrupted", "updated_at": to_micros(at)}
    repeatable = here if may_repeat else and_(here, table.c.operation == "removed")
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
    table, states = schema.outbox.c, schema.audience_states.c
    query = of_pair(
        select(
            table.idempotency_key,
            table.customer_id,
            table.version,
            table.operation,
            table.payload,
            table.content_hash,
            states.payload,
            (table.attempts > 1) | table.in_doubt,
        ).join_from(
            schema.outbox,
            schema.audience_states,
            (table.destination == states.destination)
            & (table.segment == states.segment)
            & (table.customer_id == states.customer_id)
            & states.is_member.is_(True),
            isouter=True,
        ),
        target,
    ).where(table.sync_run_id == batch[0], table.batch == batch[1], table.state == "sending")
    rows = [
        Queued(Row(r[0], r[1], r[2], r[3], _loads(r[4]) or {}, _loads(r[6])), r[5], bool(r[7]))
        for r in connection.execute(query)
    ]
    return sorted(rows, key=lambda q: (ORDER[q.row.operation], q.row.customer_id))


def settle(
    connection: Connection,
    sync_run: SyncRun,
    queued: Sequence[Queued],
    outcomes: Mapping[str, Outcome],
    receipts: Mapping[str, Decision],
    *,
    idempotency: Idempotency,
    at: int,
) -> list[Queued]:
    """Record what became of rows that were handed over; returns those that arrived.

    A refused removal stays pending: it is tried again by every sync until it succeeds (A4).
    """
    arrived, rest = [], []
    for each in queued:
        outcome = outcomes.get(each.row.key) or Outcome(each.row.key, "unknown", "no_answer")
        if outcome.status == "delivered":
            arrived.append(each)
        else:
            rest.append(_unsettled(each.row, outcome, idempotency, at))
    append(connection, schema.deliveries, (_delivery(q, sync_run, receipts, at) for q in arrived))
    upsert(connection, schema.audience_states, (_state(q, sync_run.target) for q in arrived))
    set_states(
        connection,
        [new_state(q.row.key, "sent", None, at, keep_payload=False) for q in arrived] + rest,
    )
    return arrived


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
    upsert(connection, schema.audience_states, (_state(q, sync_run.target) for q in in_doubt))
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


def _delivery(
    queued: Queued, sync_run: SyncRun, receipts: Mapping[str, Decision], at: int
) -> dict[str, Any]:
    row, target = queued.row, sync_run.target
    decision = receipts.get(row.customer_id) if row.operation != "removed" else None
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
        "consent_receipt_id": decision.receipt_id if decision else None,
        "content_hash": queued.content_hash,
        "delivered_at": at,
        "outcome": "delivered",
    }


def _state(queued: Queued, target: Target) -> dict[str, Any]:
    row = queued.row
    is_member = row.operation != "removed"
    return {
        "destination": target.destination,
        "segment": target.segment,
        "customer_id": row.customer_id,
        "version": row.version,
        "is_member": is_member,
        "content_hash": queued.content_hash,
        "payload": dumps(row.payload) if is_member else None,
    }


def _unsettled(row: Row, outcome: Outcome, idempotency: Idempotency, at: int) -> dict[str, Any]:
    state = {"retry": "pending", "unknown": "unknown", "rejected": "dead"}[outcome.status]
    may_repeat = row.operation == "removed" or idempotency is not Idempotency.NONE
    if (state == "dead" and row.operation == "removed") or (state == "unknown" and may_repeat):
        state = "pending"
    return new_state(row.key, state, outcome.reason or outcome.status, at, keep_payload=True)


def _loads(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(json.loads(text))
