"""The outbox: every intent on its way to a destination, and what became of it.

Belongs here: queueing a plan, and the states of a row. Does not belong here: deciding (gate, plan),
recording what happened (`settlement`) or talking to destinations.

States: pending (to be sent) · sending (claimed by a running sync) · sent · accepted (taken, and
applied later: the destination is asked by its ticket) · unknown (may or may not have arrived and
must not be repeated without a person's say) · dead (refused) · withheld (the gate said no at the
moment of sending) · superseded (a newer intent for the person took its place; one that was
accepted keeps its ticket and payload until the destination has said what came of it).
A version rises per destination, segment and person, so a late retry can never overtake.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, product
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, update

from orchestration.activation.batches import cut, is_too_large
from orchestration.activation.people import Target
from orchestration.activation.plan import OPEN_STATES, Change, HeldBack, OpenRow, Plan
from orchestration.destinations.base import Destination, Payload, Row
from orchestration.ops import schema
from orchestration.ops.store import append, execute_many, to_micros, upsert

# An open row in one of these is not retired for want of a change: only something newer does that.
LEFT_ALONE = ("accepted", "unknown")
TOO_LARGE = "too_large"  # why a row was refused before it left
ORDER: Mapping[str, int] = {"removed": 0, "added": 1, "updated": 2}


@dataclass(frozen=True)
class SyncRun:
    """One sync of a segment to a destination."""

    sync_run_id: str
    target: Target
    started_at: datetime


def new_sync_run_id(connection: Connection, target: Target, at: datetime) -> str:
    """An id that the same history gives again, so that two equal homes have equal ledgers."""
    table = schema.sync_runs.c
    earlier = connection.execute(
        select(func.count()).where(
            table.destination == target.destination, table.segment == target.segment
        )
    ).scalar_one()
    return _digest(target.destination, target.segment, at.isoformat(), str(earlier))


def open_sync_run(connection: Connection, plan: Plan, sync_run: SyncRun) -> None:
    """Record that a sync run has begun."""
    target = plan.target
    row = {
        "sync_run_id": sync_run.sync_run_id,
        "segment": target.segment,
        "destination": target.destination,
        "channel": target.channel,
        "purpose": target.purpose,
        "run_id": plan.run_id,
        "plan_hash": plan.plan_hash,
        "status": "running",
        "queued": 0,
        "started_at": to_micros(sync_run.started_at),
        "finished_at": None,
    }
    append(connection, schema.sync_runs, [row])


def queue(
    connection: Connection,
    plan: Plan,
    sync_run: SyncRun,
    rows: Mapping[str, OpenRow],
    *,
    destination: Destination,
    only_removals: bool = False,
) -> int:
    """Queue the plan's differences; returns how many rows are new.

    An open row that already says the same is taken up again under its own key, so that a
    destination which remembers keys does not act twice. Any other open row is superseded. A row
    that is too large for the destination is refused here and never leaves.
    """
    _apply_merges(connection, plan)
    changes = [c for c in plan.changes if not only_removals or c.operation == "removed"]
    kept = {c.customer_id: rows[c.customer_id] for c in changes if _says_the_same(c, rows)}
    replaced = {c.customer_id for c in changes} - set(kept)
    _supersede(connection, plan, sync_run, kept, replaced, only_replaced=only_removals)
    if not only_removals:
        record_held_back(connection, sync_run, plan.held_back)
    _revive(connection, sync_run, kept.values(), destination)
    _cut_anew(connection, plan.target, destination)
    versions = _versions(connection, plan.target)
    first_batch = _last_batch(connection, sync_run.sync_run_id) + 1
    new = [
        _intent(change, sync_run, versions.get(change.customer_id, 0) + 1)
        for change in sorted(changes, key=lambda each: (ORDER[each.operation], each.customer_id))
        if change.customer_id in replaced
    ]
    fits = [not is_too_large(row, destination) for row, _ in new]
    batches = iter(cut((row for (row, _), fit in zip(new, fits, strict=True) if fit), destination))
    append(
        connection,
        schema.outbox,
        (
            _outbox_row(
                row,
                content_hash,
                sync_run,
                batch=first_batch + (next(batches) if fit else 0),
                in_doubt=_in_doubt(rows.get(row.customer_id)),
                refused=None if fit else TOO_LARGE,
            )
            for (row, content_hash), fit in zip(new, fits, strict=True)
        ),
    )
    connection.execute(
        update(schema.sync_runs)
        .where(schema.sync_runs.c.sync_run_id == sync_run.sync_run_id)
        .values(queued=schema.sync_runs.c.queued + len(new))
    )
    return len(new)


def record_held_back(connection: Connection, sync_run: SyncRun, held: Iterable[HeldBack]) -> None:
    """Record who is held back where it is news: hourly syncs would repeat it for ever."""
    table, runs = schema.held_back.c, schema.sync_runs.c
    target = sync_run.target
    query = (
        select(table.customer_id, table.reason)
        .join_from(schema.held_back, schema.sync_runs, table.sync_run_id == runs.sync_run_id)
        .where(table.destination == target.destination, table.segment == target.segment)
        .order_by(runs.started_at, table.held_back_at, table.sync_run_id)
    )
    latest = {row[0]: row[1] for row in connection.execute(query)}
    news = [each for each in held if latest.get(each.customer_id) != each.reason]
    upsert(
        connection,
        schema.held_back,
        (
            {
                "sync_run_id": sync_run.sync_run_id,
                "segment": target.segment,
                "destination": target.destination,
                "customer_id": each.customer_id,
                "channel": target.channel,
                "purpose": target.purpose,
                "reason": str(each.reason),
                "held_back_at": to_micros(sync_run.started_at),
            }
            for each in news
        ),
    )


def new_state(
    key: str,
    state: str,
    reason: str | None,
    at: int,
    *,
    keep_payload: bool,
    in_doubt: bool = False,
) -> dict[str, Any]:
    """A row's move to another state, for `set_states`; `in_doubt`: nobody knows of the last try."""
    doubt = {"keep": keep_payload, "doubt": in_doubt}
    return {"key": key, "to": state, "why": reason, "at": at, **doubt}


def set_states(connection: Connection, changes: Sequence[Mapping[str, Any]]) -> None:
    """Move rows to new states; the payload, with its address, goes as soon as it has no use."""
    table = schema.outbox
    for keep, doubt in product((True, False), repeat=2):
        part = [
            {name: value for name, value in change.items() if name not in ("keep", "doubt")}
            for change in changes
            if change["keep"] is keep and change["doubt"] is doubt
        ]
        if part:
            values: dict[str, Any] = {
                "state": bindparam("to"),
                "last_error": bindparam("why"),
                "updated_at": bindparam("at"),
            }
            if not keep:
                values["payload"] = None
            if doubt:
                values["in_doubt"] = True
            statement = update(table).where(table.c.idempotency_key == bindparam("key"))
            execute_many(connection, statement.values(**values), part)


def of_pair(query: Select[Any], target: Target) -> Select[Any]:
    """The query, for one destination and segment."""
    table = schema.outbox.c
    return query.where(table.destination == target.destination, table.segment == target.segment)


def dumps(payload: Payload) -> str:
    """A payload as the outbox keeps it."""
    return json.dumps(dict(payload), ensure_ascii=False)


def _says_the_same(change: Change, rows: Mapping[str, OpenRow]) -> bool:
    row = rows.get(change.customer_id)
    return (
        row is not None
        and row.state not in LEFT_ALONE
        and not (change.afresh and row.was_tried)
        and row.operation == change.operation
        and row.content_hash == change.content_hash
    )


def _in_doubt(row: OpenRow | None) -> bool:
    return row is not None and row.may_have_arrived


def _apply_merges(connection: Connection, plan: Plan) -> None:
    """Give the places of merged ids to their survivors, and end those of stays that are over."""
    table, target = schema.audience_states, plan.target
    gone = [old for old, _ in plan.moved] + [*plan.dropped, *plan.ended]
    if not gone:
        return
    here = (table.c.destination == target.destination) & (table.c.segment == target.segment)
    old_rows = {
        row["customer_id"]: dict(row)
        for row in connection.execute(select(table).where(here)).mappings()
    }
    moved = []
    for old, survivor in plan.moved:
        version = max(old_rows[old]["version"], old_rows.get(survivor, {}).get("version", 0))
        moved.append({**old_rows[old], "customer_id": survivor, "version": version})
    upsert(connection, table, moved)
    emptied = (
        update(table)
        .where(here, table.c.customer_id == bindparam("gone"))
        .values(is_member=False, payload=None, in_doubt=False)
    )
    execute_many(connection, emptied, [{"gone": old} for old in gone])


def _supersede(
    connection: Connection,
    plan: Plan,
    sync_run: SyncRun,
    kept: Mapping[str, OpenRow],
    replaced: set[str],
    *,
    only_replaced: bool,
) -> None:
    """Retire open rows that are not kept; some only where something newer takes their place.

    A message that was refused is refused for the whole stay.
    """
    table, target = schema.outbox, plan.target
    left_alone = (*LEFT_ALONE, "dead") if target.writer else LEFT_ALONE
    query = of_pair(select(table.c.idempotency_key, table.c.customer_id, table.c.state), target)
    keep = {row.key for row in kept.values()}
    at = to_micros(sync_run.started_at)
    rows = connection.execute(query.where(table.c.state.in_(OPEN_STATES))).all()
    retired = [
        new_state(row[0], "superseded", None, at, keep_payload=row[2] == "accepted")
        for row in rows
        if row[0] not in keep
        and (
            row[1] in replaced
            or (row[2] == "dead" and row[1] in plan.ended)
            or not (only_replaced or row[2] in left_alone)
        )
    ]
    set_states(connection, retired)


def _revive(
    connection: Connection, sync_run: SyncRun, rows: Iterable[OpenRow], destination: Destination
) -> None:
    """Try refused rows again: a destination may have changed its mind (A1)."""
    at = to_micros(sync_run.started_at)
    dead = [
        row
        for row in rows
        if row.state == "dead"
        and not is_too_large(
            Row(row.key, row.customer_id, 0, row.operation, row.payload), destination
        )
    ]
    set_states(
        connection, [new_state(row.key, "pending", None, at, keep_payload=True) for row in dead]
    )


def _cut_anew(connection: Connection, target: Target, destination: Destination) -> None:
    """Cut batches that wait and are larger than the destination takes by now, as by its options."""
    table = schema.outbox
    columns = (table.c.idempotency_key, table.c.customer_id, table.c.version, table.c.operation)
    query = of_pair(
        select(table.c.sync_run_id, table.c.batch, *columns, table.c.payload), target
    ).where(table.c.state == "pending")
    ordered = query.order_by(table.c.sync_run_id, table.c.batch, table.c.customer_id)
    waiting_rows = connection.execute(ordered).all()
    moves = []
    for sync_run_id, group in groupby(waiting_rows, key=lambda each: each[0]):
        last = _last_batch(connection, sync_run_id)
        for _, rows in groupby(group, key=lambda each: each[1]):
            together = [Row(r[2], r[3], r[4], r[5], json.loads(r[6] or "{}")) for r in rows]
            together.sort(key=lambda row: ORDER[row.operation])
            numbers = cut(together, destination)
            moves += [
                {"key": row.key, "new": last + number}
                for row, number in zip(together, numbers, strict=True)
                if number
            ]
            last += numbers[-1]
    moved = update(table).where(table.c.idempotency_key == bindparam("key"))
    execute_many(connection, moved.values(batch=bindparam("new")), moves)


def _versions(connection: Connection, target: Target) -> dict[str, int]:
    """The highest version ever used, per person."""
    table, states = schema.outbox.c, schema.audience_states.c
    queued = of_pair(select(table.customer_id, func.max(table.version)), target)
    versions = {r[0]: r[1] for r in connection.execute(queued.group_by(table.customer_id))}
    delivered = select(states.customer_id, states.version).where(
        states.destination == target.destination, states.segment == target.segment
    )
    for customer_id, version in connection.execute(delivered):
        versions[customer_id] = max(version, versions.get(customer_id, 0))
    return versions


def _last_batch(connection: Connection, sync_run_id: str) -> int:
    table = schema.outbox.c
    query = select(func.max(table.batch)).where(table.sync_run_id == sync_run_id)
    return connection.execute(query).scalar() or 0


def _intent(change: Change, sync_run: SyncRun, version: int) -> tuple[Row, str]:
    """A change as the row that is to leave, and the digest of what it says."""
    target = sync_run.target
    key = _digest(
        target.destination,
        target.segment,
        change.customer_id,
        str(version),
        change.operation,
        change.content_hash,
    )
    row = Row(key, change.customer_id, version, change.operation, change.payload, change.previous)
    return row, change.content_hash


def _outbox_row(
    row: Row,
    content_hash: str,
    sync_run: SyncRun,
    *,
    batch: int,
    in_doubt: bool,
    refused: str | None,
) -> dict[str, Any]:
    target, at = sync_run.target, to_micros(sync_run.started_at)
    return {
        "idempotency_key": row.key,
        "sync_run_id": sync_run.sync_run_id,
        "destination": target.destination,
        "segment": target.segment,
        "customer_id": row.customer_id,
        "version": row.version,
        "operation": row.operation,
        "channel": target.channel,
        "purpose": target.purpose,
        "content_hash": content_hash,
        "payload": dumps(row.payload),
        "state": "dead" if refused else "pending",
        "batch": batch,
        "attempts": 0,
        "in_doubt": in_doubt,
        "last_error": refused,
        "ticket": None,
        "accepted_at": None,
        "consent_receipt_id": None,
        "created_at": at,
        "updated_at": at,
    }


def _digest(*parts: str) -> str:
    return hashlib.md5("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()
