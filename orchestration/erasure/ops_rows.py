"""The operational store without one person: what proves something stays, hashed; the rest goes.

Belongs here: which rows of which table. Does not belong here: tombstones (`ops.tombstones`).

Permissions, refusals and questions stay with the identifier's hash, so that it can be shown that
there was a consent and that it was withdrawn; deliveries stay with a hash of the person's id. A
removal that a destination has not taken yet keeps its address until it has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, or_, select, tuple_, update

from orchestration.erasure.texts import Texts
from orchestration.ops import schema
from orchestration.ops.push_subscriptions import erase_subscriptions
from orchestration.ops.store import in_parts
from orchestration.ops.tombstones import FORGOTTEN, Erasable, Hasher, Key, forgotten_among

_SHORTEST = 6  # of a value that is looked for in the person's own proofs
_FACTS = (
    (schema.consent_events, "consent_event_id"),
    (schema.suppressions, "suppression_id"),
    (schema.consent_requests, "consent_request_id"),
)

Holding = tuple[str, str, str]


def waiting(connection: Connection, ids: Collection[str]) -> set[Holding]:
    """Destination, segment and id wherever a destination may still have one of these people."""
    states, rows = schema.audience_states.c, schema.outbox.c
    holdings: set[Holding] = set()
    for some in in_parts(sorted(ids)):
        there = select(states.destination, states.segment, states.customer_id).where(
            states.customer_id.in_(some), states.is_member.is_(True)
        )
        open_ = select(rows.destination, rows.segment, rows.customer_id).where(
            rows.customer_id.in_(some),
            or_(
                rows.state.in_(schema.OPEN_STATES)
                & or_(rows.operation == "removed", rows.attempts > 0, rows.in_doubt.is_(True)),
                rows.state.in_(schema.ASKED_STATES) & rows.ticket.is_not(None),
            ),
        )
        for query in (there, open_):
            holdings |= {(row[0], row[1], row[2]) for row in connection.execute(query)}
    return holdings


def erase_from_ops(connection: Connection, subject: Erasable) -> dict[str, int]:
    """Take the person out of every table; rows that changed or went, by table."""
    hasher, texts = Hasher(connection), Texts.of(subject)
    done = Counter[str]()
    receipts: dict[str, str] = {}
    for table, key in _FACTS:
        done[table.name] += _hash_facts(connection, table, key, subject, hasher, texts, receipts)
    done[schema.withdrawals_written.name] += _rename_told(connection, receipts)
    identity = (schema.identity_registry, schema.identity_moves)
    for table in identity:
        for some in in_parts(subject.keys):
            pair = tuple_(table.c.identifier_type, table.c.identifier_value)
            done[table.name] += _gone(connection, table, pair.in_(some))
    columns = [
        schema.identity_registry.c.customer_id,
        schema.identity_moves.c.from_customer_id,
        schema.identity_moves.c.to_customer_id,
        schema.customer_aliases.c.alias_id,
        schema.customer_aliases.c.customer_id,
        schema.segment_memberships.c.customer_id,
        schema.contact_decisions.c.customer_id,
        schema.holdouts.c.customer_id,
    ]
    for column in columns:
        for ids in in_parts(subject.ids):
            done[column.table.name] += _gone(connection, column.table, column.in_(ids))
    pushes = erase_subscriptions(connection, subject.keys)
    done[schema.push_subscriptions.name] += pushes
    kept = waiting(connection, subject.ids)
    for table in (
        *(schema.deliveries, schema.held_back),
        *(schema.outbox, schema.audience_states),
    ):
        done[table.name] += _hash_people(connection, table, subject, hasher, receipts, kept)
    return {table: count for table, count in sorted(done.items()) if count}


def forgotten_in_ops(connection: Connection) -> Erasable:
    """Whoever stands in the store although they are forgotten, as after an older backup."""
    tables = (*(table for table, _ in _FACTS), schema.identity_registry, schema.identity_moves)
    keys: set[Key] = set()
    for table in tables:
        query = select(table.c.identifier_type, table.c.identifier_value).distinct()
        keys |= {(row[0], row[1]) for row in connection.execute(query)}
    gone = sorted(forgotten_among(connection, keys))
    ids: set[str] = set()
    registry = schema.identity_registry.c
    for some in in_parts(gone):
        pair = tuple_(registry.identifier_type, registry.identifier_value)
        ids |= set(connection.execute(select(registry.customer_id).where(pair.in_(some))).scalars())
    return Erasable(tuple(sorted(ids)), tuple(gone))


def _hash_facts(
    connection: Connection,
    table: Table,
    key: str,
    subject: Erasable,
    hasher: Hasher,
    texts: Texts,
    receipts: dict[str, str],
) -> int:
    """Facts of permission under the hash of their identifier; `receipts` learns their new ids."""
    rows: list[Mapping[Any, Any]] = []
    for some in in_parts(subject.keys):
        pair = tuple_(table.c.identifier_type, table.c.identifier_value)
        rows += connection.execute(select(table).where(pair.in_(some))).mappings()
    for row in rows:
        receipts[row[key]] = hasher.other(row[key])
        value = hasher.identifier((row["identifier_type"], row["identifier_value"]))
        changes = {key: receipts[row[key]], "identifier_value": f"{FORGOTTEN}{value}"}
        if row.get("proof") and _says(row["proof"], row["identifier_value"], texts):
            changes["proof"] = hasher.other(row["proof"])
        connection.execute(update(table).where(table.c[key] == row[key]).values(**changes))
    return len(rows)


def _says(proof: str, value: str, texts: Texts) -> bool:
    """Whether the proof of a person's own fact names them: their own word counts here."""
    return texts.are_in(proof) or (len(value) >= _SHORTEST and value in proof)


def _hash_people(
    connection: Connection,
    table: Table,
    subject: Erasable,
    hasher: Hasher,
    receipts: Mapping[str, str],
    kept: set[Holding],
) -> int:
    """What was sent, held back or queued, under the hash of the person's id."""
    done = 0
    for customer in subject.ids:
        query = select(table).where(table.c.customer_id == customer)
        for row in connection.execute(query).mappings().all():
            key = (row["destination"], row["segment"], customer)
            if table in (schema.outbox, schema.audience_states) and key in kept:
                continue
            changes: dict[str, Any] = {"customer_id": hasher.customer(customer)}
            if "content_hash" in row:
                changes["content_hash"] = hasher.other(row["content_hash"])
            if "payload" in row:
                changes["payload"] = None
            if row.get("consent_receipt_id"):
                receipt = row["consent_receipt_id"]
                changes["consent_receipt_id"] = receipts.get(receipt, hasher.other(receipt))
            where = [column == row[column.name] for column in table.primary_key]
            connection.execute(update(table).where(*where).values(**changes))
            done += 1
    return done


def _rename_told(connection: Connection, receipts: Mapping[str, str]) -> int:
    """What destinations were told of a refusal, under its new id."""
    table, done = schema.withdrawals_written, 0
    for old, new in receipts.items():
        query = update(table).where(table.c.refusal_id == old).values(refusal_id=new)
        done += int(connection.execute(query).rowcount)
    return done


def _gone(connection: Connection, table: Table, which: Any) -> int:
    return int(connection.execute(delete(table).where(which)).rowcount)
