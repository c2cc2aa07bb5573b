"""Telling every destination to remove people who are forgotten.

Belongs here: which destinations may have them, and what each answered. Does not belong here:
erasing them here (`erasure`), or how a removal is sent (`sync`).

A removal asks for nobody's permission, and nothing else leaves with it. What a destination does
not take stays queued and goes with the next sync.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Connection, select

from ingestion.config import Settings
from ingestion.errors import RegularsError
from orchestration.activation.messages import close_messages
from orchestration.activation.people import Target, target_of
from orchestration.activation.plan import Plan, delivered_states, difference, open_rows
from orchestration.activation.sync import remove
from orchestration.destinations import open_destination
from orchestration.erasure.ops_rows import waiting
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import Store


def tell_destinations(
    store: Store,
    home: Home,
    settings: Settings,
    ids: Collection[str],
    *,
    at: datetime,
    wait: Callable[[float], None] = time.sleep,
) -> dict[str, str]:
    """Have these people removed wherever they may be; what became of it, by destination.

    Only under the home's lock.
    """
    with store.read() as connection:
        pairs = sorted({holding[:2] for holding in waiting(connection, ids)})
    answers: dict[str, str] = {}
    for name, segment in pairs:
        answers[f"{name}: {segment}"] = _tell(store, home, settings, name, segment, ids, at, wait)
    return answers


def _tell(
    store: Store,
    home: Home,
    settings: Settings,
    name: str,
    segment: str,
    ids: Collection[str],
    at: datetime,
    wait: Callable[[float], None],
) -> str:
    chosen = settings.destinations.get(name)
    if chosen is None or not chosen.enabled:
        return "not told: the settings do not have it, or it is switched off"
    with store.read() as connection:
        target = _target(connection, settings, segment, name)
        plan = _removals(connection, target, ids)
    if target.writer is not None:
        with store.write() as connection:
            close_messages(connection, target, ids)
        return "sends messages, which cannot be taken back; gets no more of them"
    if not plan.changes:
        return "had nothing to remove"
    try:
        arrived, accepted = remove(
            store,
            home,
            target,
            open_destination(name, chosen, home),
            plan,
            at=at,
            double_opt_in=settings.double_opt_in,
            wait=wait,
        )
    except RegularsError as error:
        return f"queued: {error.message}"
    if accepted:
        return f"accepted the removal of {accepted}; the next sync asks whether it is done"
    return f"removed {arrived}" if arrived else "queued: it took nothing; the next sync repeats it"


def _target(connection: Connection, settings: Settings, segment: str, name: str) -> Target:
    """The pair as it was synced last, whether or not the segment still goes there."""
    table = schema.sync_runs.c
    query = (
        select(table.channel, table.purpose)
        .where(table.destination == name, table.segment == segment)
        .order_by(table.started_at.desc(), table.sync_run_id)
    )
    channel, purpose = connection.execute(query.limit(1)).one()
    return target_of(settings, segment, name, str(channel), str(purpose))


def _removals(connection: Connection, target: Target, ids: Collection[str]) -> Plan:
    delivered = {
        customer: state
        for customer, state in delivered_states(connection, target).items()
        if customer in ids
    }
    rows = {
        customer: row for customer, row in open_rows(connection, target).items() if customer in ids
    }
    changes = difference({}, delivered, rows).changes
    return Plan(target, "forget", changes, (), 0, 0, (), ())
