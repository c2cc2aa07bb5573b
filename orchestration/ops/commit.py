"""What a published file says about the future, committed to the store after the swap.

Belongs here: memberships, registry, moves, aliases and the run's row, in one transaction, so that
the store never knows half of a publication. Does not belong here: the swap itself.

Data flow: `published.duckdb` (marts.fct_segment_memberships, ops.identity_registry,
ops.identity_moves, ops.identity_metrics, marts.customer_aliases, ops.build) -> the same facts in
the operational store.

A kill between swap and commit is healed by the next run: the file names its run, and `heal` commits
a published run that the store does not know as done. Committing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Table, delete, func, select, tuple_, update

from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.later_stays import drop_doubled, later_ends
from orchestration.ops.runs import SUCCEEDED, run_status
from orchestration.ops.shapes import arrow_columns, arrow_schema, mirroring
from orchestration.ops.store import Store, fetch_columns, insert_new, rows_of, to_micros, upsert
from orchestration.published.reader import open_locked, read_build

PUBLISHED_RUN = "published_run_id"
_DELETE_CHUNK = 200


@dataclass(frozen=True)
class Committed:
    """What a commit changed; all zero when the run was committed before."""

    run_id: str
    registered: int = 0
    aliased: int = 0
    memberships: int = 0
    already_done: bool = False


def commit_after_publish(store: Store, home: Home, *, finished_at: datetime) -> Committed:
    """Commit what the published file says and mark its run succeeded; repeating is harmless."""
    _, run_id, as_of = read_build(home.published)
    if _is_committed(store, run_id):
        return Committed(run_id, already_done=True)
    changes = {}
    for published, table in mirroring().items():
        changes[table.name] = _changed_rows(store, home, table, published, run_id)
    stays = changes[schema.segment_memberships.name]
    with store.write() as connection:
        ended = later_ends(connection, as_of)
        for table in mirroring().values():
            upsert(connection, table, rows_of(changes[table.name]))
        # The file was made before: what a pulse ended meanwhile stays ended
        going_on = _going_on(stays)
        upsert(
            connection, schema.segment_memberships, [row for row in ended if _key(row) in going_on]
        )
        _drop_stays_of_merged(connection, home)
        drop_doubled(connection, _begun(stays, as_of), as_of)
        _mark_succeeded(connection, run_id, as_of, finished_at)
    return Committed(
        run_id,
        registered=changes[schema.identity_registry.name].num_rows,
        aliased=changes[schema.customer_aliases.name].num_rows,
        memberships=changes[schema.segment_memberships.name].num_rows,
    )


def heal(store: Store, home: Home, *, at: datetime) -> Committed | None:
    """Commit a publication whose run was killed between swap and commit; None if there was none.

    Call under the home's lock, before killed runs are marked failed. A file of an older, already
    committed run (a restored one) is left alone.
    """
    if not home.published.exists():
        return None
    _, run_id, _ = read_build(home.published)
    if _is_committed(store, run_id):
        return None
    return commit_after_publish(store, home, finished_at=at)


def _is_committed(store: Store, run_id: str) -> bool:
    # The status is set in the very transaction that commits the rest, so it proves the rest.
    return run_status(store, run_id) == SUCCEEDED


def _changed_rows(store: Store, home: Home, table: Table, published: str, run_id: str) -> pa.Table:
    """Rows of the published table that the store lacks or has differently."""
    known = _known_rows(store, home, table, run_id)
    shape = arrow_schema(table)
    with open_locked(home.published) as connection:
        if not _holds(connection, published, shape.names):
            return shape.empty_table()
        connection.register("known", known)
        query = f"select {', '.join(shape.names)} from {published} except select * from known"
        return connection.execute(f"{query} order by all").to_arrow_table().cast(shape)


def _known_rows(store: Store, home: Home, table: Table, run_id: str) -> pa.Table:
    """What the store has, from the run's own export where that is certainly the same.

    Only a commit changes these tables, and the export was written by the run being committed, so
    equal row counts mean equal rows; reading Parquet is many times faster for millions of rows.
    """
    exported = home.ops_export / f"{table.name}.parquet"
    with store.read() as connection:
        count = connection.execute(select(func.count()).select_from(table)).scalar_one()
        if _export_is_of(home, run_id) and exported.exists():
            rows = pq.read_table(exported, columns=arrow_schema(table).names)
            if rows.num_rows == count:
                return rows
        return fetch_columns(connection, select(table), arrow_columns(table))


def _export_is_of(home: Home, run_id: str) -> bool:
    context = home.ops_export / "run_context.parquet"
    if not context.exists():
        return False
    ids: list[str] = pq.read_table(context, columns=["run_id"]).column("run_id").to_pylist()
    return ids == [run_id]


def _going_on(stays: pa.Table) -> set[tuple[str, str, int]]:
    return {_key(row) for row in rows_of(stays) if row["left_at"] is None}


def _key(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return row["segment"], row["customer_id"], row["entered_at"]


def _begun(stays: pa.Table, as_of: datetime) -> set[tuple[str, str]]:
    """Segment and person of each stay that begins with the run."""
    return {
        (row["segment"], row["customer_id"])
        for row in stays.to_pylist()
        if row["entered_at"] == as_of and row["left_at"] is None
    }


def _drop_stays_of_merged(connection: Connection, home: Home) -> None:
    """Forget stays of ids that were merged, where the models moved them or made two of them one.

    Other stays that the file lacks are kept: a segment switched off for a day keeps its history,
    and so does what a run of a later moment recorded.
    """
    stays, aliases = schema.segment_memberships, schema.customer_aliases
    query = select(stays.c.segment, stays.c.customer_id, stays.c.entered_at)
    merged = select(aliases.c.alias_id).union(select(aliases.c.customer_id))
    of_merged = query.where(stays.c.customer_id.in_(merged))
    known = fetch_columns(connection, of_merged, arrow_columns(stays)[:3])
    if not known.num_rows:
        return
    mirrored = stays.info[schema.MIRRORS]
    with open_locked(home.published) as published:
        published.register("known", known)
        gone = published.execute(
            "select * from known"
            " where customer_id in (select alias_id from marts.customer_aliases)"
            " or (entered_at <= (select as_of from ops.build)"
            f" and (segment, customer_id) in (select (segment, customer_id) from {mirrored}))"
            f" except select segment, customer_id, entered_at from {mirrored}"
        ).to_arrow_table()
    keys = [tuple(row.values()) for row in rows_of(gone)]
    key = tuple_(stays.c.segment, stays.c.customer_id, stays.c.entered_at)
    for start in range(0, len(keys), _DELETE_CHUNK):
        connection.execute(delete(stays).where(key.in_(keys[start : start + _DELETE_CHUNK])))


def _mark_succeeded(
    connection: Connection, run_id: str, as_of: datetime, finished_at: datetime
) -> None:
    # The row is missing when the store was restored from a backup older than the run.
    row = {
        "run_id": run_id,
        "as_of": to_micros(as_of),
        "code_version": "unknown",
        "status": SUCCEEDED,
        "rows_received": 0,
        "rows_loaded": 0,
        "rows_quarantined": 0,
        "rows_duplicate": 0,
        "started_at": to_micros(finished_at),
        "finished_at": to_micros(finished_at),
    }
    insert_new(connection, schema.runs, [row])
    connection.execute(
        update(schema.runs)
        .where(schema.runs.c.run_id == run_id)
        .values(status=SUCCEEDED, finished_at=to_micros(finished_at))
    )
    upsert(connection, schema.meta, [{"key": PUBLISHED_RUN, "value": run_id}])


def _holds(connection: duckdb.DuckDBPyConnection, published: str, columns: Collection[str]) -> bool:
    """Whether the file has the table as it is today; an older version's may lack it or a column."""
    space, table = published.split(".")
    rows = connection.execute(
        "select column_name from information_schema.columns"
        " where table_schema = ? and table_name = ?",
        [space, table],
    ).fetchall()
    return set(columns) <= {name for (name,) in rows}
