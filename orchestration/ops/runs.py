"""The life of a run: started, counted, audited, finished; and killed runs.

Belongs here: the rows of `runs`, `run_sources` and `audits`. Does not belong here: marking a run
succeeded after publishing (`orchestration.ops.commit` does that together with what it published).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from orchestration.ops import schema
from orchestration.ops.store import Store, from_micros, insert_new, to_micros, upsert

RUNNING = "running"
SUCCEEDED = "succeeded"
FAILED = "failed"
_FAILING = "failing"  # the name of what people were told, in `meta`
UNPUBLISHED = "unpublished"  # it did what it was asked, which was not to publish


@dataclass(frozen=True)
class Run:
    """One run: its id, its moment and the code that made it."""

    run_id: str
    as_of: datetime
    code_version: str


@dataclass(frozen=True)
class SourceCounts:
    """What became of the rows of one source table; received = loaded + quarantined + duplicate."""

    source: str
    table_name: str
    rows_received: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    values_emptied: int = 0


@dataclass(frozen=True)
class AuditLog:
    """Keeps the publisher's audit records; the publisher decides what they mean."""

    store: Store

    def record_audit(self, digest: str, record: dict[str, Any]) -> None:
        """Keep the record of the file with this SHA-256; a later one replaces it."""
        failing = [check["name"] for check in record["checks"] if not check.get("passed")]
        row = {
            "digest": digest,
            "build_id": record["build_id"],
            "run_id": record["run_id"],
            "passed": bool(record["passed"]),
            "failing_checks": json.dumps(sorted(failing)),
            "record": json.dumps(record, sort_keys=True),
            "recorded_at": to_micros(datetime.fromisoformat(record["as_of"])),
        }
        with self.store.write() as connection:
            upsert(connection, schema.audits, [row])

    def find_audit(self, digest: str) -> dict[str, Any] | None:
        """The record of the file with this SHA-256, if it was ever audited."""
        with self.store.read() as connection:
            query = select(schema.audits.c.record).where(schema.audits.c.digest == digest)
            record = connection.execute(query).scalar()
        return None if record is None else dict(json.loads(record))

    def newest_audit(self) -> dict[str, Any] | None:
        """The record of the run that began last of those that came to an audit."""
        query = (
            select(schema.audits.c.record)
            .join(schema.runs, schema.runs.c.run_id == schema.audits.c.run_id)
            .order_by(schema.runs.c.started_at.desc(), schema.runs.c.run_id)
            .limit(1)
        )
        with self.store.read() as connection:
            record = connection.execute(query).scalar()
        return None if record is None else dict(json.loads(record))


def start_run(store: Store, run: Run, *, started_at: datetime) -> None:
    """Record that a run has begun; a run started twice stays one row."""
    row = {
        "run_id": run.run_id,
        "as_of": to_micros(run.as_of),
        "code_version": run.code_version,
        "status": RUNNING,
        "rows_received": 0,
        "rows_loaded": 0,
        "rows_quarantined": 0,
        "rows_duplicate": 0,
        "started_at": to_micros(started_at),
        "finished_at": None,
    }
    with store.write() as connection:
        insert_new(connection, schema.runs, [row])


def record_source_counts(store: Store, run_id: str, counts: Iterable[SourceCounts]) -> None:
    """Record the counts per source table, replacing earlier ones of the run, and their totals."""
    rows = [{"run_id": run_id, **asdict(count)} for count in counts]
    with store.write() as connection:
        upsert(connection, schema.run_sources, rows)
        _set_totals(connection, run_id)


def rows_received(store: Store, run_id: str) -> int:
    """How many rows the sources of a run gave so far."""
    query = select(schema.runs.c.rows_received).where(schema.runs.c.run_id == run_id)
    with store.read() as connection:
        return int(connection.execute(query).scalar() or 0)


def finish_run(store: Store, run_id: str, status: str, *, finished_at: datetime) -> None:
    """Close a run that publishes nothing: one that failed, or that only looked."""
    with store.write() as connection:
        connection.execute(
            update(schema.runs)
            .where(schema.runs.c.run_id == run_id, schema.runs.c.status == RUNNING)
            .values(status=status, finished_at=to_micros(finished_at))
        )


def fail_killed_runs(store: Store, *, at: datetime) -> list[str]:
    """Mark every run failed that is noted as running; call only under the home's lock.

    Heal first (`orchestration.ops.commit.heal`): a run killed after the swap has published.
    """
    killed = select(schema.runs.c.run_id).where(schema.runs.c.status == RUNNING)
    with store.write() as connection:
        ids: list[str] = sorted(connection.execute(killed).scalars())
        if ids:
            connection.execute(
                update(schema.runs)
                .where(schema.runs.c.run_id.in_(ids))
                .values(status=FAILED, finished_at=to_micros(at))
            )
    return ids


def run_status(store: Store, run_id: str) -> str | None:
    """The status of a run, None when it is unknown here."""
    with store.read() as connection:
        query = select(schema.runs.c.status).where(schema.runs.c.run_id == run_id)
        return connection.execute(query).scalar()


@dataclass(frozen=True)
class Failing:
    """That runs fail, as people were told: since which run and when, and for which causes."""

    run_id: str
    since: datetime
    causes: frozenset[str] = frozenset()


def read_failing(store: Store) -> Failing | None:
    """What people were told of runs that fail, and is not over; None where they were not."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == _FAILING)
    with store.read() as connection:
        value = connection.execute(query).scalar()
    if not value:
        return None
    run_id, since, causes = json.loads(value)
    return Failing(run_id, datetime.fromisoformat(since), frozenset(causes))


def record_failing(store: Store, failing: Failing | None) -> None:
    """Replace what people were told."""
    value = ""
    if failing is not None:
        value = json.dumps([failing.run_id, failing.since.isoformat(), sorted(failing.causes)])
    with store.write() as connection:
        upsert(connection, schema.meta, [{"key": _FAILING, "value": value}])


def last_started(store: Store) -> datetime | None:
    """When the newest run began, however it ended; None where there was none."""
    with store.read() as connection:
        newest = connection.execute(select(func.max(schema.runs.c.started_at))).scalar()
    return None if newest is None else from_micros(newest)


def _set_totals(connection: Connection, run_id: str) -> None:
    names = ("rows_received", "rows_loaded", "rows_quarantined", "rows_duplicate")
    sources = schema.run_sources
    query = select(*(func.coalesce(func.sum(sources.c[name]), 0).label(name) for name in names))
    totals = connection.execute(query.where(sources.c.run_id == run_id)).mappings().one()
    connection.execute(
        update(schema.runs)
        .where(schema.runs.c.run_id == run_id)
        .values({name: int(totals[name]) for name in names})
    )
