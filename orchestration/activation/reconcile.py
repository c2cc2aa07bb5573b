"""What a destination says it has, held against the ledger, where it can be asked (RELIABILITY A4).

A person whose row may have arrived, and nobody said so, is neither missing nor too many.

Belongs here: the comparison. Does not belong here: making it right (the next sync does).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestration.destinations.base import TellsMembers, own_words
from orchestration.ops import schema
from orchestration.ops.store import Store

# Of a row that may have arrived and that nobody confirmed; a dead one was refused.
_UNSURE = tuple(state for state in schema.OPEN_STATES if state != "dead")


@dataclass(frozen=True)
class Drift:
    """How what a destination has of a segment differs from what we know, in ids.

    Args:
        segment: the segment.
        known: how many it has by the ledger.
        held: how many it has by its own word.
        missing: who is there by the ledger, and is not.
        surplus: who is there, and was never sent or was removed.
    """

    segment: str
    known: int
    held: int
    missing: frozenset[str]
    surplus: frozenset[str]


def reconcile(store: Store, name: str, destination: TellsMembers) -> list[Drift]:
    """Each segment that was ever delivered to a destination, in order; changes nothing.

    Args:
        store: the operational store.
        name: the destination's name in the settings.
        destination: the adapter.

    Raises:
        RetryLaterError: it cannot be asked now.
    """
    with store.read() as connection:
        known = _members(connection, name)
        unsure = _unsure(connection, name)
    drifts = []
    for segment, members in sorted(known.items()):
        with own_words(name):
            held = frozenset(destination.members_of(segment))
        open_ = unsure.get(segment, frozenset())
        missing, surplus = members - held - open_, held - members - open_
        drifts.append(Drift(segment, len(members), len(held), missing, surplus))
    return drifts


def _members(connection: Connection, name: str) -> dict[str, frozenset[str]]:
    """Whom the destination has by the ledger, by segment; nobody, where all were removed."""
    table = schema.audience_states.c
    query = select(table.segment, table.customer_id, table.is_member)
    rows = connection.execute(query.where(table.destination == name)).all()
    return _by_segment((row[0], row[1] if row[2] else None) for row in rows)


def _unsure(connection: Connection, name: str) -> dict[str, frozenset[str]]:
    """Of whom a row is under way, by segment."""
    table = schema.outbox.c
    query = select(table.segment, table.customer_id).where(
        table.destination == name, table.state.in_(_UNSURE)
    )
    return _by_segment((row[0], row[1]) for row in connection.execute(query))


def _by_segment(rows: Iterable[tuple[str, str | None]]) -> dict[str, frozenset[str]]:
    people: dict[str, set[str]] = {}
    for segment, who in rows:
        people.setdefault(segment, set()).update([who] if who else [])
    return {segment: frozenset(ids) for segment, ids in people.items()}
