"""Questions about what was sent, held back and is still on its way.

Belongs here: read-only queries over the ledger and the outbox, and the law of conservation. Does
not belong here: changing anything, or deciding about permission.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from ingestion.errors import UsageError
from orchestration.ops import schema
from orchestration.ops.store import Store, from_micros, to_micros

STATES = ("sent", "dead", "pending", "sending", "unknown", "withheld", "superseded")


@dataclass(frozen=True)
class Sent:
    """One row that a destination took."""

    segment: str
    destination: str
    channel: str
    purpose: str
    operation: str
    delivered_at: datetime
    consent_receipt_id: str | None


@dataclass(frozen=True)
class LastSync:
    """What the latest sync that delivered anything to a target delivered."""

    at: datetime
    counts: dict[str, int]


@dataclass(frozen=True)
class Held:
    """Since when and why a person was held back."""

    segment: str
    destination: str
    channel: str
    purpose: str
    reason: str
    held_back_at: datetime


@dataclass(frozen=True)
class OpenIntent:
    """A row that is not at its end."""

    idempotency_key: str
    segment: str
    destination: str
    customer_id: str
    operation: str
    state: str
    attempts: int
    last_error: str | None


def sent_to(store: Store, customer_ids: Sequence[str]) -> list[Sent]:
    """Everything delivered about a person (give the merged ids too), oldest first."""
    table = schema.deliveries.c
    query = (
        select(
            table.segment,
            table.destination,
            table.channel,
            table.purpose,
            table.operation,
            table.delivered_at,
            table.consent_receipt_id,
        )
        .where(table.customer_id.in_(list(customer_ids)))
        .order_by(table.delivered_at, table.destination, table.segment, table.version)
    )
    with store.read() as connection:
        return [
            Sent(row[0], row[1], row[2], row[3], row[4], from_micros(row[5]), row[6])
            for row in connection.execute(query)
        ]


def last_syncs(store: Store) -> dict[tuple[str, str], LastSync]:
    """The latest delivery to each (segment, destination), in rows by operation."""
    table = schema.deliveries.c
    query = select(
        table.segment,
        table.destination,
        table.sync_run_id,
        table.operation,
        func.count(),
        func.max(table.delivered_at),
    ).group_by(table.segment, table.destination, table.sync_run_id, table.operation)
    runs: dict[tuple[str, str], dict[str, tuple[int, dict[str, int]]]] = defaultdict(dict)
    with store.read() as connection:
        for row in connection.execute(query):
            syncs = runs[row[0], row[1]]
            newest, counts = syncs.get(row[2], (0, {}))
            syncs[row[2]] = (max(newest, row[5]), {**counts, row[3]: row[4]})
    return {
        pair: LastSync(from_micros(at), counts)
        for pair, syncs in runs.items()
        for _, (at, counts) in [max(syncs.items(), key=lambda item: (item[1][0], item[0]))]
    }


def held_back_for(store: Store, customer_ids: Sequence[str]) -> list[Held]:
    """Every time a person was newly held back, oldest first."""
    table = schema.held_back.c
    query = (
        select(
            table.segment,
            table.destination,
            table.channel,
            table.purpose,
            table.reason,
            table.held_back_at,
        )
        .where(table.customer_id.in_(list(customer_ids)))
        .order_by(table.held_back_at, table.destination, table.segment)
    )
    with store.read() as connection:
        return [
            Held(row[0], row[1], row[2], row[3], row[4], from_micros(row[5]))
            for row in connection.execute(query)
        ]


def permission_of(
    store: Store, identifiers: Sequence[tuple[str, str]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The consent events and suppressions of a person's identifiers, oldest first."""
    keys = set(identifiers)
    found = []
    with store.read() as connection:
        for table in (schema.consent_events, schema.suppressions):
            values = table.c.identifier_value.in_([value for _, value in identifiers])
            key = next(iter(table.primary_key))
            rows = connection.execute(
                select(table).where(values).order_by(table.c.occurred_at, key)
            ).mappings()
            found.append(
                [
                    {name: _shown(name, value) for name, value in row.items()}
                    for row in rows
                    if (row["identifier_type"], row["identifier_value"]) in keys
                ]
            )
    return found[0], found[1]


def open_intents(store: Store, states: Sequence[str] = ("unknown", "dead")) -> list[OpenIntent]:
    """Rows that wait for somebody: of unknown fate, or refused."""
    table = schema.outbox.c
    query = (
        select(
            table.idempotency_key,
            table.segment,
            table.destination,
            table.customer_id,
            table.operation,
            table.state,
            table.attempts,
            table.last_error,
        )
        .where(table.state.in_(list(states)))
        .order_by(table.destination, table.segment, table.customer_id, table.version)
    )
    with store.read() as connection:
        rows = connection.execute(query).mappings()
        return [OpenIntent(**dict(row)) for row in rows]


def resolve_unknown(store: Store, idempotency_key: str, *, has_arrived: bool, at: datetime) -> None:
    """A person says what became of a row that nobody could know about.

    A row that arrived is closed without being repeated; otherwise it may be sent again.

    Raises:
        UsageError: there is no such row of unknown fate.
    """
    table = schema.outbox
    with store.write() as connection:
        row = (
            connection.execute(
                select(table).where(
                    table.c.idempotency_key == idempotency_key, table.c.state == "unknown"
                )
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise UsageError("There is no such row of unknown fate.", "List them with `doctor`.")
        if has_arrived:
            _close_as_sent(connection, dict(row), to_micros(at))
        connection.execute(
            update(table)
            .where(table.c.idempotency_key == idempotency_key)
            .values(
                state="sent" if has_arrived else "pending",
                payload=None if has_arrived else row["payload"],
                last_error=None,
                updated_at=to_micros(at),
            )
        )


def state_counts(store: Store) -> dict[tuple[str, str], dict[str, int]]:
    """Rows per destination and segment, by state."""
    table = schema.outbox.c
    query = select(table.destination, table.segment, table.state, func.count()).group_by(
        table.destination, table.segment, table.state
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    with store.read() as connection:
        for row in connection.execute(query):
            found.setdefault((str(row[0]), str(row[1])), {})[str(row[2])] = int(row[3])
    return found


def broken_laws(store: Store) -> list[str]:
    """Sentences about conservation that do not hold; empty when nothing was lost or made up.

    queued = sent + dead + pending + unknown + withheld + superseded; every sent row stands in the
    ledger once and nothing else does; the audience is what the ledger's last word says.
    """
    with store.read() as connection:
        return [
            sentence
            for sentence, broken in (
                ("queued rows are missing from the outbox", _uneven_runs(connection)),
                ("sent rows are missing from the ledger", _sent_without_delivery(connection)),
                ("the ledger has rows that were not sent", _delivery_without_sent(connection)),
                ("rows are in an unknown state", _strange_states(connection)),
                ("members lack a delivery", _members_without_delivery(connection)),
            )
            if broken
        ]


def _uneven_runs(connection: Connection) -> bool:
    runs, rows = schema.sync_runs.c, schema.outbox.c
    counted = (
        select(rows.sync_run_id, func.count().label("found")).group_by(rows.sync_run_id).subquery()
    )
    query = (
        select(func.count())
        .select_from(schema.sync_runs)
        .join(counted, runs.sync_run_id == counted.c.sync_run_id, isouter=True)
        .where(runs.queued != func.coalesce(counted.c.found, 0))
    )
    return bool(connection.execute(query).scalar())


def _sent_without_delivery(connection: Connection) -> bool:
    rows, ledger = schema.outbox.c, schema.deliveries.c
    query = (
        select(func.count())
        .select_from(schema.outbox)
        .join(schema.deliveries, rows.idempotency_key == ledger.delivery_id, isouter=True)
        .where(rows.state == "sent", ledger.delivery_id.is_(None))
    )
    return bool(connection.execute(query).scalar())


def _delivery_without_sent(connection: Connection) -> bool:
    rows, ledger = schema.outbox.c, schema.deliveries.c
    query = (
        select(func.count())
        .select_from(schema.deliveries)
        .join(schema.outbox, rows.idempotency_key == ledger.delivery_id, isouter=True)
        .where((rows.state != "sent") | rows.state.is_(None))
    )
    return bool(connection.execute(query).scalar())


def _strange_states(connection: Connection) -> bool:
    query = select(func.count()).where(schema.outbox.c.state.not_in(STATES))
    return bool(connection.execute(query).scalar())


def _members_without_delivery(connection: Connection) -> bool:
    """Every member's version is one that was sent, or one that may have arrived."""
    states, rows = schema.audience_states.c, schema.outbox.c
    query = (
        select(func.count())
        .select_from(schema.audience_states)
        .join(
            schema.outbox,
            (states.destination == rows.destination)
            & (states.segment == rows.segment)
            & (states.version == rows.version)
            & (states.content_hash == rows.content_hash),
            isouter=True,
        )
        .where(states.is_member.is_(True), rows.idempotency_key.is_(None))
    )
    return bool(connection.execute(query).scalar())


def _close_as_sent(connection: Connection, row: dict[str, Any], at: int) -> None:
    names = (
        "sync_run_id",
        "segment",
        "destination",
        "customer_id",
        "version",
        "operation",
        "channel",
        "purpose",
        "content_hash",
    )
    facts = {name: row[name] for name in names}
    connection.execute(
        schema.deliveries.insert().values(
            **facts,
            delivery_id=row["idempotency_key"],
            consent_receipt_id=None,
            delivered_at=at,
            outcome="confirmed_by_person",
        )
    )
    states = schema.audience_states
    key = (
        (states.c.destination == row["destination"])
        & (states.c.segment == row["segment"])
        & (states.c.customer_id == row["customer_id"])
    )
    connection.execute(states.delete().where(key))
    is_member = row["operation"] != "removed"
    connection.execute(
        states.insert().values(
            destination=row["destination"],
            segment=row["segment"],
            customer_id=row["customer_id"],
            version=row["version"],
            is_member=is_member,
            content_hash=row["content_hash"],
            payload=row["payload"] if is_member else None,
        )
    )


def _shown(name: str, value: Any) -> Any:
    return from_micros(value) if name.endswith("_at") and value is not None else value
