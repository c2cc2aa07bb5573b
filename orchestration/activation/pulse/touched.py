"""Whom something has happened to since everybody was planned: the people a pulse asks about again.

Belongs here: who they are, by the triggers' members and the operational store. Does not belong
here: what is to become of them, which a plan says.

These are: whoever entered or left a trigger, whose reason, context or stay there is another; whose
contact was put off and is due; who has a row without an end; and whoever said something of their
permission.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from orchestration.activation.gate import Key
from orchestration.activation.people import people_of
from orchestration.activation.pulse.triggers import Turned
from orchestration.activation.release import due_rows
from orchestration.home.layout import Home
from orchestration.ops import schema


def touched_people(
    home: Home, store: Connection, turned: Turned, *, since: int, at: int
) -> frozenset[str]:
    """Everybody whom a plan of this moment may have something else for.

    Args:
        home: whose published file knows whose identifiers are.
        store: the operational store.
        turned: what the triggers came to.
        since: the moment when everybody was planned, microseconds.
        at: this moment, microseconds.
    """
    rows = schema.outbox.c
    unfinished = select(rows.customer_id).where(rows.state.in_(schema.OPEN_STATES))
    return frozenset(
        {
            *turned.changed,
            *turned.stays.column("customer_id").to_pylist(),
            *(who for _, who in due_rows(store, at)),
            *store.execute(unfinished).scalars(),
            *people_of(home, set(_said_something(store, since))),
        }
    )


def _said_something(store: Connection, since: int) -> Iterator[Key]:
    """Identifiers of which a fact of permission was recorded since then."""
    for table in (schema.consent_events, schema.suppressions):
        query = select(table.c.identifier_type, table.c.identifier_value)
        yield from store.execute(query.where(table.c.recorded_at >= since)).tuples()
