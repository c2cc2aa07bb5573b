"""Questions about what was sent, held back and is still on its way.

Belongs here: read-only queries over the ledger and the outbox, and the law of conservation. Does
not belong here: changing anything, or deciding about permission.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from orchestration.ops import schema
from orchestration.ops.schema import OPEN_STATES
from orchestration.ops.store import Store, from_micros

KEY_LENGTH = 12  # characters of a key that people see and type
STATES = (*OPEN_STATES, "sent", "withheld", "superseded")


@dataclass(frozen=True)
class LastSync:
    """What the latest sync that delivered anything to a target delivered."""

    at: datetime
    counts: dict[str, int]


@dataclass(frozen=True)
class OpenIntent:
    """A row that is not at its end."""

    idempotency_key: str
    sync_run_id: str
    batch: int
    segment: str
    destination: str
    customer_id: str
    operation: str
    state: str
    attempts: int
    last_error: str | None

    @property
    def key(self) -> str:
        """The row's name as people read and type it: the beginning of its idempotency key."""
        return self.idempotency_key[:KEY_LENGTH]

    @property
    def batch_key(self) -> str:
        """The name of the batch that the row left in, with its other rows."""
        return f"{self.sync_run_id[:KEY_LENGTH]}-{self.batch}"


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


def open_intents(store: Store, states: Sequence[str] = ("unknown", "dead")) -> list[OpenIntent]:
    """Rows that wait for somebody: of unknown fate, or refused."""
    table = schema.outbox.c
    query = (
        select(
            table.idempotency_key,
            table.sync_run_id,
            table.batch,
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


def broken_laws(store: Store) -> list[str]:
    """Sentences about conservation that do not hold; empty when nothing was lost or made up.

    queued = sent + dead + pending + sending + accepted + unknown + withheld + superseded; every
    sent row stands in the ledger once and nothing else does; the audience is what the ledger's
    last word says.
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
        select(rows.sync_run_id, func.count().label("rows")).group_by(rows.sync_run_id).subquery()
    )
    query = (
        select(func.count())
        .select_from(schema.sync_runs)
        .join(counted, runs.sync_run_id == counted.c.sync_run_id, isouter=True)
        .where(runs.queued != func.coalesce(counted.c.rows, 0))
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
