"""What a person says of a row that may have arrived or not: it arrived, or it was lost.

A destination that must not get a row twice leaves rows of unknown fate behind when it breaks off.
Nobody but a person who looks into that destination can close them.

Belongs here: taking the answer, with who gave it and when, and moving the rows. Does not belong
here: listing rows of unknown fate (`ledger.open_intents`), and sending: a lost row waits for a sync
like any other, which asks the gate again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, and_, func, select

from ingestion.errors import UsageError
from orchestration.activation.ledger import KEY_LENGTH
from orchestration.activation.outbox import new_state, set_states
from orchestration.ops import schema
from orchestration.ops.store import Store, append, from_micros, to_micros, upsert

Answer = Literal["arrived", "lost"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
SHORTEST_KEY = 6
OUTCOME = "confirmed_by_person"
LIST_THEM = "`regulars plan` lists the rows of unknown fate with their keys."
# Why a row in another state than unknown needs no answer.
NO_QUESTION = {
    "sent": "it has arrived",
    "pending": "it waits for the next sync",
    "sending": "a sync is sending it",
    "accepted": "the destination accepted it, and the next sync asks what came of it",
    "dead": "the destination refused it",
    "withheld": "the gate stopped it, so it was not sent",
    "superseded": "a newer row of the same person took its place",
}


@dataclass(frozen=True)
class Resolution:
    """What an answer came to: how many rows, of which pairs (segment, destination).

    `is_repeated`: the same had been said before, and nothing was changed.
    """

    answer: Answer
    row_count: int
    pairs: tuple[tuple[str, str], ...]
    is_repeated: bool = False


def as_answer(text: str) -> Answer:
    """The answer that somebody typed.

    Raises:
        UsageError: it is neither.
    """
    for answer in ANSWERS:
        if text == answer:
            return answer
    raise UsageError(
        f"A row either {' or was '.join(ANSWERS)}; `{text}` is neither.",
        "`regulars sync --resolve KEY arrived` or `regulars sync --resolve KEY lost`.",
    )


def resolve(store: Store, key: str, answer: Answer, *, by: str, at: datetime) -> Resolution:
    """Record what became of the rows of unknown fate that a key names, all of them or none.

    A row that arrived counts as sent and is not repeated; a lost one is pending again.

    Args:
        store: the operational store.
        key: the beginning of one row's idempotency key, or the key of a batch, for all its rows.
        answer: what the person found at the destination.
        by: who says so.
        at: when they said so.

    Raises:
        UsageError: the key names no row, several rows, or none of unknown fate.
    """
    with store.write() as connection:
        named = _named_rows(connection, key)
        rows = [row for row in named if row["state"] == "unknown"]
        if not rows:
            return _said_before(connection, key, named, answer)
        moment = to_micros(at)
        append(
            connection,
            schema.resolutions,
            [
                {
                    "idempotency_key": row["idempotency_key"],
                    "attempt": row["attempts"],
                    "answer": answer,
                    "decided_by": by,
                    "decided_at": moment,
                }
                for row in rows
            ],
        )
        has_arrived = answer == "arrived"
        if has_arrived:
            _count_as_sent(connection, rows, moment)
        state = "sent" if has_arrived else "pending"
        moved = [
            new_state(row["idempotency_key"], state, None, moment, keep_payload=not has_arrived)
            for row in rows
        ]
        set_states(connection, moved)
    return Resolution(answer, len(rows), _pairs(rows))


def _named_rows(connection: Connection, key: str) -> list[Mapping[str, Any]]:
    """The rows of a key, in any state.

    Raises:
        UsageError: there are none, or a row's key is short enough to name several.
    """
    table = schema.outbox
    run_key, dash, batch = key.partition("-")
    if len(run_key) < SHORTEST_KEY or not run_key.isalnum() or (dash and not batch.isdigit()):
        raise UsageError(f"`{key}` is no key of a row or of a batch.", LIST_THEM)
    column = table.c.sync_run_id if dash else table.c.idempotency_key
    query = select(table).where(func.substr(column, 1, len(run_key)) == run_key)
    if dash:
        query = query.where(table.c.batch == int(batch))
    ordered = query.order_by(table.c.idempotency_key)
    rows = [dict(row) for row in connection.execute(ordered).mappings()]
    owners = {row["sync_run_id"] if dash else row["idempotency_key"] for row in rows}
    if not rows:
        raise UsageError(f"No row or batch has the key {key}.", LIST_THEM)
    if len(owners) > 1:
        raise UsageError(
            f"The key {key} is the beginning of {len(owners)} keys.",
            f"Give the {KEY_LENGTH} characters that `regulars plan` shows, or more.",
        )
    return rows  # type: ignore[return-value]


def _said_before(
    connection: Connection, key: str, rows: Sequence[Mapping[str, Any]], answer: Answer
) -> Resolution:
    """The outcome of an answer about rows that are not, or no longer, of unknown fate.

    Raises:
        UsageError: nobody was asked about them, or somebody has said the contrary.
    """
    table = schema.resolutions
    keys = [row["idempotency_key"] for row in rows]
    query = (
        select(table)
        .where(table.c.idempotency_key.in_(keys))
        .order_by(table.c.decided_at.desc(), table.c.attempt.desc(), table.c.idempotency_key)
    )
    decision = connection.execute(query).mappings().first()
    if decision is None:
        reasons = sorted({NO_QUESTION[row["state"]] for row in rows})
        raise UsageError(
            f"There is nothing to decide about {key}: {'; '.join(reasons)}.", LIST_THEM
        )
    if decision["answer"] == answer:
        return Resolution(answer, len(rows), _pairs(rows), is_repeated=True)
    when = from_micros(decision["decided_at"])
    raise UsageError(
        f"{decision['decided_by']} said on {when:%Y-%m-%d %H:%M} UTC of {key}:"
        f" {decision['answer']}. That was acted on and is not changed.",
        "`regulars plan` shows what the next sync would send."
        if decision["answer"] == "lost"
        else "It counts as sent and is not repeated; what changes of the person goes as an update.",
    )


def _pairs(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(row["segment"], row["destination"]) for row in rows}))


def _count_as_sent(connection: Connection, rows: Sequence[Mapping[str, Any]], at: int) -> None:
    """Write rows into the ledger, and into what the destination has where nothing newer is."""
    shared = (
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
    append(
        connection,
        schema.deliveries,
        [
            {
                **{name: row[name] for name in shared},
                "delivery_id": row["idempotency_key"],
                "consent_receipt_id": None,
                "delivered_at": at,
                "outcome": OUTCOME,
            }
            for row in rows
        ],
    )
    upsert(
        connection,
        schema.audience_states,
        [
            {
                "destination": row["destination"],
                "segment": row["segment"],
                "customer_id": row["customer_id"],
                "version": row["version"],
                "is_member": row["operation"] != "removed",
                "content_hash": row["content_hash"],
                "payload": row["payload"] if row["operation"] != "removed" else None,
                "in_doubt": False,
            }
            for row in rows
            if not _has_newer(connection, row)
        ],
    )


def _has_newer(connection: Connection, row: Mapping[str, Any]) -> bool:
    table = schema.audience_states.c
    query = select(func.count()).where(
        and_(
            table.destination == row["destination"],
            table.segment == row["segment"],
            table.customer_id == row["customer_id"],
            table.version > row["version"],
        )
    )
    return bool(connection.execute(query).scalar())
