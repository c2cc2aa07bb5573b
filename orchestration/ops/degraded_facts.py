"""What the operational store knows of how rows come in and go out, and what people were told of it.

Belongs here: counts of sources by day, of rows that wait at destinations, and the record of what is
told as degraded. Does not belong here: what counts as degraded (orchestration/run/degraded.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select

from orchestration.ops import schema
from orchestration.ops.store import Store, from_micros, to_micros, upsert

LOOKS_BACK = timedelta(days=28)
WAITING_STATES = ("pending", "sending")
_KEY = "degraded"


@dataclass(frozen=True)
class SourceDay:
    """What the runs of one day, by their `as_of` in UTC, received of a source."""

    day: date
    received: int
    quarantined: int


@dataclass(frozen=True)
class Queue:
    """Rows for one destination that did not come to their end.

    `since`: from when on nothing came to its end, None where nothing waits.
    """

    waiting: int = 0
    refused: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """What is known at the moment `at`: sources by day, oldest first, and destinations by name."""

    at: datetime
    sources: Mapping[str, Sequence[SourceDay]]
    queues: Mapping[str, Queue]


@dataclass(frozen=True)
class KnownDegradation:
    """Something degraded that people were told of: when, and of how many rows or days."""

    kind: str
    subject: str
    at: str
    count: int

    @property
    def key(self) -> tuple[str, str]:
        """What is degraded, and how."""
        return self.kind, self.subject


def read_facts(
    store: Store,
    *,
    at: datetime,
    as_of: datetime,
    sources: Collection[str],
    destinations: Collection[str],
) -> Facts:
    """The facts of these sources and destinations, each named whether or not anything is known.

    Args:
        store: the operational store.
        at: now by the clock of deliveries, naive UTC.
        as_of: now by the data, from which days are counted back.
        sources: those that are switched on.
        destinations: those that are switched on.
    """
    with store.read() as connection:
        days = _days(connection, as_of)
        queues = _queues(connection, destinations)
    return Facts(at, {name: days.get(name, []) for name in sources}, queues)


def read_told(store: Store) -> tuple[KnownDegradation, ...]:
    """What people were told of and is not over, as far as they know."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == _KEY)
    with store.read() as connection:
        value = connection.execute(query).scalar()
    return tuple(KnownDegradation(**each) for each in json.loads(value)) if value else ()


def record_told(store: Store, notices: Iterable[KnownDegradation]) -> None:
    """Replace what people were told of."""
    value = json.dumps([asdict(each) for each in notices])
    with store.write() as connection:
        upsert(connection, schema.meta, [{"key": _KEY, "value": value}])


def _days(connection: Connection, as_of: datetime) -> dict[str, list[SourceDay]]:
    runs, counts = schema.runs.c, schema.run_sources.c
    query = (
        select(
            counts.source,
            runs.as_of,
            func.sum(counts.rows_received),
            func.sum(counts.rows_quarantined),
        )
        .join_from(schema.run_sources, schema.runs, counts.run_id == runs.run_id)
        .where(runs.as_of > to_micros(as_of - LOOKS_BACK), runs.as_of <= to_micros(as_of))
        .group_by(counts.source, runs.run_id, runs.as_of)
        .order_by(counts.source, runs.as_of, runs.run_id)
    )
    sums: dict[str, dict[date, tuple[int, int]]] = {}
    for source, moment, received, quarantined in connection.execute(query).tuples():
        own, day = sums.setdefault(source, {}), from_micros(moment).date()
        before = own.get(day, (0, 0))
        own[day] = (before[0] + int(received), before[1] + int(quarantined))
    return {
        source: [SourceDay(day, *numbers) for day, numbers in own.items()]
        for source, own in sums.items()
    }


def _queues(connection: Connection, names: Collection[str]) -> dict[str, Queue]:
    rows = schema.outbox.c
    query = (
        select(rows.destination, rows.state, func.count())
        .where(rows.destination.in_(names), rows.state.in_((*WAITING_STATES, "dead")))
        .group_by(rows.destination, rows.state)
    )
    numbers = {(name, state): int(n) for name, state, n in connection.execute(query).tuples()}
    queues = {}
    for name in names:
        waiting = sum(numbers.get((name, state), 0) for state in WAITING_STATES)
        since = _unanswered_since(connection, name) if waiting else None
        queues[name] = Queue(waiting, numbers.get((name, "dead"), 0), since)
    return queues


def _unanswered_since(connection: Connection, name: str) -> datetime | None:
    """The begin of the first sync that is not done, or the latest row that arrived after it.

    A row keeps its place through the syncs of an outage only while it says the same, so its own
    age would not do.
    """
    syncs, sent, rows = schema.sync_runs.c, schema.deliveries.c, schema.outbox.c
    begun = select(func.min(syncs.started_at)).where(
        syncs.destination == name, syncs.status != "done"
    )
    arrived = select(func.max(sent.delivered_at)).where(sent.destination == name)
    accepted = select(func.max(rows.accepted_at)).where(rows.destination == name)
    first = connection.execute(begun).scalar()
    if first is None:
        return None
    answers = (connection.execute(query).scalar() for query in (arrived, accepted))
    return from_micros(max(first, *(answer or 0 for answer in answers)))
