"""What a destination says it has, held against the ledger, where it can be asked (RELIABILITY A4).

A person whose row may have arrived, and nobody said so, is neither missing nor too many. Where a
destination knows people by their addresses, those of the ledger's payloads say whose they are.

Belongs here: the comparison. Does not belong here: making it right (the next sync does).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestration.destinations.base import (
    TellsAddresses,
    TellsAudienceSizes,
    TellsMembers,
    own_words,
)
from orchestration.ops import schema
from orchestration.ops.store import Store

# Of a row that may have arrived and that nobody confirmed; a dead one was refused.
_UNSURE = tuple(state for state in schema.OPEN_STATES if state != "dead")
_ADDRESSES = ("email", "phone")

Owners = Mapping[tuple[str, str], frozenset[str]]  # customer ids by address


@dataclass(frozen=True)
class Drift:
    """How what a destination has of a segment differs from what we know, in ids.

    Args:
        segment: the segment.
        known: how many it has by the ledger.
        held: how many it has by its own word.
        missing: who is there by the ledger, and is not.
        surplus: who is there, and was never sent or was removed; a number in place of an address.
    """

    segment: str
    known: int
    held: int
    missing: frozenset[str]
    surplus: frozenset[str]


@dataclass(frozen=True)
class Size:
    """How many people a destination says it has of a segment, where it does not say who.

    Args:
        segment: the segment.
        known: how many it has by the ledger.
        held: how many it has by its own word; None where it tells none.
        matched_percent: of those who were sent, the share that it found among its own people.
    """

    segment: str
    known: int
    held: int | None
    matched_percent: int | None


def reconcile(store: Store, name: str, destination: TellsMembers | TellsAddresses) -> list[Drift]:
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
        by_id = isinstance(destination, TellsMembers)
        owners = {} if by_id else {each: _owners(connection, name, each) for each in known}
    drifts = []
    for segment, members in sorted(known.items()):
        with own_words(name):
            if isinstance(destination, TellsMembers):
                held = frozenset(destination.members_of(segment))
            else:
                held = _named(destination.addresses_of(segment), owners[segment])
        open_ = unsure.get(segment, frozenset())
        missing, surplus = members - held - open_, held - members - open_
        drifts.append(Drift(segment, len(members), len(held), missing, surplus))
    return drifts


def sizes_told(store: Store, name: str, destination: TellsAudienceSizes) -> list[Size]:
    """The size of each segment that was ever delivered to a destination; changes nothing.

    Raises:
        RetryLaterError: it cannot be asked now.
    """
    with store.read() as connection:
        known = _members(connection, name)
    sizes = []
    for segment, members in sorted(known.items()):
        with own_words(name):
            audience = destination.audience_size(segment)
        sizes.append(Size(segment, len(members), audience.held, audience.matched_percent))
    return sizes


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


def _owners(connection: Connection, name: str, segment: str) -> Owners:
    """Whose addresses are those that were sent, or are under way."""
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for table in (schema.audience_states, schema.outbox):
        own = (table.c.destination == name) & (table.c.segment == segment)
        query = select(table.c.customer_id, table.c.payload)
        for row in connection.execute(query.where(own, table.c.payload.is_not(None))):
            payload = json.loads(row[1])
            for kind in _ADDRESSES:
                if payload.get(kind):
                    owners[kind, payload[kind]].add(row[0])
    return {address: frozenset(ids) for address, ids in owners.items()}


def _named(addresses: Iterable[tuple[str, str]], owners: Owners) -> frozenset[str]:
    """The people of addresses; a number for each that is nobody's."""
    people: set[str] = set()
    for number, address in enumerate(sorted(set(addresses))):
        people |= owners.get(address) or {f"address {number}"}
    return frozenset(people)


def _by_segment(rows: Iterable[tuple[str, str | None]]) -> dict[str, frozenset[str]]:
    people: dict[str, set[str]] = {}
    for segment, who in rows:
        people.setdefault(segment, set()).update([who] if who else [])
    return {segment: frozenset(ids) for segment, ids in people.items()}
