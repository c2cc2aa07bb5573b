"""Which pairs were planned for everybody, on which published file and until when that holds.

Belongs here: that note in the operational store. Does not belong here: planning (plan.py), and whom
something has happened to since (pulse/touched.py).

Within one of the shop's days, and while one file is published, everybody whom nothing happens to
stays in a pair as they are: a pulse need not ask about them again. With the next day, whose caps
are new, or the next file, everybody is planned once more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from orchestration.activation import quiet_hours
from orchestration.activation.contact_day import ContactDay
from orchestration.activation.people import Target
from orchestration.activation.plan import Plan
from orchestration.ops import schema
from orchestration.ops.store import to_micros, upsert

PLANNED = "planned"  # of the store's meta, with the pair


def note_planned(connection: Connection, day: ContactDay, plan: Plan, at: datetime) -> None:
    """Remember that a pair was planned for everybody; nothing of a plan for some.

    Args:
        connection: the store's.
        day: of which the plan was made.
        plan: what was planned.
        at: the moment from which on something may have happened that the plan does not know.
    """
    if day.only is not None:
        return
    timezone = day.rules.shop.timezone
    _, until = quiet_hours.day_bounds(quiet_hours.day_of(at, timezone), timezone)
    value = {"run_id": plan.run_id, "at": to_micros(at), "until": to_micros(until)}
    upsert(connection, schema.meta, [{"key": _key(plan.target), "value": json.dumps(value)}])


def planned_since(
    connection: Connection, targets: Iterable[Target], run_id: str, at: datetime
) -> dict[tuple[str, str], int]:
    """Those of the pairs that were planned for everybody on this day and by this file, each with
    since when (microseconds)."""
    query = select(schema.meta.c.key, schema.meta.c.value)
    rows = connection.execute(query.where(schema.meta.c.key.startswith(PLANNED)))
    notes = {str(row.key): str(row.value) for row in rows}
    since = {}
    for target in targets:
        note = json.loads(notes.get(_key(target), "{}"))
        if note and note["run_id"] == run_id and note["at"] <= to_micros(at) < note["until"]:
            since[target.segment, target.destination] = int(note["at"])
    return since


def _key(target: Target) -> str:
    return f"{PLANNED}:{target.segment}:{target.destination}"
