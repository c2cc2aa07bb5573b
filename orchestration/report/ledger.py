"""What was delivered and held back, per segment and destination, in counts.

Belongs here: counting, in the ops store's ledger where there is one (it also knows the sync of this
very run), else in the published copy of it. Does not belong here: anybody's id or address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import duckdb
from sqlalchemy import func, select

from ingestion.duckdb import has_table
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission.untold import OPEN as UNTOLD_STATES
from orchestration.ops.permission.untold import Untold, untold_refusals
from orchestration.ops.store import Store, from_micros, has_store, open_store
from orchestration.report.figures import rows

Sent = tuple[str, str, str, int, datetime | None]
Held = tuple[str, str, str, int]
Waiting = tuple[str, str, str, int]
# Rows of the outbox that are not at their end, by state, in the order of what a person can do.
WAITING = {
    "unknown": "of unknown fate: regulars plan lists them, and a person says which arrived",
    "dead": "refused by the destination: regulars doctor says why",
    "accepted": "accepted and not applied yet: the next sync asks",
    "sending": "on the way when a sync stopped: the next sync takes them up",
    "pending": "waiting for the next sync",
}


@dataclass(frozen=True)
class Delivery:
    """What one destination received of a segment, and whom its latest sync held back, and why.

    `waiting`: what has not come to its end, in words, and how many rows.
    """

    segment: str
    destination: str
    operations: tuple[tuple[str, int], ...]
    held: tuple[tuple[str, int], ...]
    last_at: datetime | None
    waiting: tuple[tuple[str, int], ...] = ()


def read_deliveries(home: Home, connection: duckdb.DuckDBPyConnection) -> list[Delivery]:
    """From the ops store if this home has one, else from the open published file."""
    if has_store(home):
        with open_store(home) as store:
            return _together(*_from_store(store), _waiting(store))
    return _together(*_from_published(connection))


def read_untold(home: Home, connection: duckdb.DuckDBPyConnection) -> list[Untold]:
    """Refusals that destinations do not know of yet, from where deliveries are read."""
    if has_store(home):
        with open_store(home) as store:
            return untold_refusals(store)
    if not has_table(connection, "activity", "fct_withdrawals_written"):
        return []
    withdrawal_rows = rows(
        connection,
        f"""
        select destination, channel, state, answer, count(*), min(first_tried_at)
        from activity.fct_withdrawals_written where state in {UNTOLD_STATES}
        group by all order by all
        """,
    )
    return [Untold(*row) for row in withdrawal_rows]


def _from_published(connection: duckdb.DuckDBPyConnection) -> tuple[list[Sent], list[Held]]:
    sent = rows(
        connection,
        "select segment, destination, operation, count(*), max(delivered_at)"
        " from activity.fct_deliveries group by all order by all",
    )
    held = rows(
        connection,
        """
        with ranked as (
            select *, max(held_back_at) over (partition by segment, destination) as newest
            from activity.fct_held_back
        )
        select segment, destination, reason, count(distinct customer_id) from ranked
        where held_back_at = newest group by all order by 1, 2, 4 desc, 3
        """,
    )
    return [(*row,) for row in sent], [(*row,) for row in held]


def _from_store(store: Store) -> tuple[list[Sent], list[Held]]:
    delivered, held_back = schema.deliveries.c, schema.held_back.c
    sent_query = (
        select(
            delivered.segment,
            delivered.destination,
            delivered.operation,
            func.count(),
            func.max(delivered.delivered_at),
        )
        .group_by(delivered.segment, delivered.destination, delivered.operation)
        .order_by(delivered.segment, delivered.destination, delivered.operation)
    )
    newest = (
        select(
            held_back.segment,
            held_back.destination,
            func.max(held_back.held_back_at).label("newest"),
        )
        .group_by(held_back.segment, held_back.destination)
        .subquery()
    )
    held_query = (
        select(held_back.segment, held_back.destination, held_back.reason, func.count())
        .join(
            newest,
            (newest.c.segment == held_back.segment)
            & (newest.c.destination == held_back.destination)
            & (newest.c.newest == held_back.held_back_at),
        )
        .group_by(held_back.segment, held_back.destination, held_back.reason)
        .order_by(held_back.segment, held_back.destination, func.count().desc(), held_back.reason)
    )
    with store.read() as connection:
        sent: list[Sent] = [
            (row[0], row[1], row[2], row[3], from_micros(row[4]))
            for row in connection.execute(sent_query)
        ]
        held: list[Held] = [
            (row[0], row[1], row[2], row[3]) for row in connection.execute(held_query)
        ]
    return sent, held


def _waiting(store: Store) -> list[Waiting]:
    table = schema.outbox.c
    pair = (table.segment, table.destination, table.state)
    query = select(*pair, func.count()).where(table.state.in_(schema.OPEN_STATES)).group_by(*pair)
    with store.read() as connection:
        return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


def _together(
    sent: Iterable[Sent], held: Iterable[Held], waiting: Iterable[Waiting] = ()
) -> list[Delivery]:
    operations: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    reasons: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    last: dict[tuple[str, str], datetime | None] = {}
    for segment, destination, operation, number, at in sent:
        pair = (segment, destination)
        operations[pair].append((operation, number))
        last[pair] = max((moment for moment in (at, last.get(pair)) if moment), default=None)
    for segment, destination, reason, number in held:
        reasons[segment, destination].append((reason, number))
    left = {(segment, destination, state): n for segment, destination, state, n in waiting}
    pairs = {*operations, *reasons, *(key[:2] for key in left)}
    return [
        Delivery(
            *pair,
            tuple(operations[pair]),
            tuple(reasons[pair]),
            last.get(pair),
            tuple(
                (words, left[*pair, state])
                for state, words in WAITING.items()
                if (*pair, state) in left
            ),
        )
        for pair in sorted(pairs)
    ]
