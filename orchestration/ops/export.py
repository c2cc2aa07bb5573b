"""The store as Parquet files, which dbt reads as its source `ops`.

Belongs here: which rows leave, in a fixed order. Does not belong here: any
derivation; the models do that.

Data flow: operational store -> `$REGULARS_HOME/ops_export/<table>.parquet`, written before dbt.

Facts later than the run's `as_of` stay behind, so a run as of a past date sees the past; a refusal
counts from the moment it was recorded, whatever its date, as the gate counts it. Every file is
written beside its place and then moved there, so a reader never sees half a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import ColumnElement, Select, Table, case, literal, null, select

from ingestion.vocabulary import CHANNELS, EVERY, PURPOSES
from orchestration.home.whole_file import whole_file
from orchestration.ops import schema
from orchestration.ops.runs import RUNNING, SUCCEEDED, Run
from orchestration.ops.shapes import arrow_columns, leaving
from orchestration.ops.store import Store, fetch_batches, to_micros
from orchestration.ops.tombstones import FORGOTTEN

QUARANTINE = "quarantine"
BATCHES_OF_A_GROUP = 10  # what a file holds in one piece, which is what its writer holds in memory
QUARANTINE_SHAPE = pa.schema(
    [
        ("source", pa.string()),
        ("table_name", pa.string()),
        ("reason", pa.string()),
        ("row_count", pa.int64()),
    ]
)


def export_ops(store: Store, folder: Path, run: Run) -> dict[str, int]:
    """Write every file of the export for this run; returns the rows per file.

    The run's own row reads as it will once the run is done, because the file it stands in is only
    published if it is.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sizes = {}
    with store.read() as connection:
        for table in leaving():
            columns = arrow_columns(table)
            batches = fetch_batches(connection, _query(table, run), columns)
            sizes[table.name] = _write(
                folder / f"{table.name}.parquet", pa.schema(columns), batches
            )
    context = _run_context(run)
    _write(folder / "run_context.parquet", context.schema, context.to_batches())
    sizes["run_context"] = 1
    if not (folder / f"{QUARANTINE}.parquet").exists():
        export_quarantine(folder, [])
    return sizes


def export_quarantine(folder: Path, waiting: Sequence[tuple[str, str, str, int]]) -> int:
    """Write how many rows wait in quarantine: source, table, reason, number; how many lines."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    columns = list(zip(*waiting, strict=True)) or [()] * len(QUARANTINE_SHAPE)
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, QUARANTINE_SHAPE, strict=True)]
    table = pa.table(arrays, schema=QUARANTINE_SHAPE)
    return _write(folder / f"{QUARANTINE}.parquet", table.schema, table.to_batches())


def _query(table: Table, run: Run) -> Select[Any]:
    """Which rows leave, in the order of the table's key."""
    as_of = to_micros(run.as_of)
    columns: list[Any] = list(table.columns)
    if table is schema.runs:
        columns = [_own_row(column.name, run) for column in table.columns]
    query = select(*columns).order_by(*table.primary_key)
    if table in (schema.consent_events, schema.suppressions, schema.consent_requests):
        known = table.c.purpose.in_((*PURPOSES, EVERY)) | table.c.purpose.startswith("group:")
        query = query.where(_has_happened(table, as_of), known)
        query = query.where(table.c.channel.in_((*CHANNELS, EVERY)))
        query = query.where(~table.c.identifier_value.startswith(FORGOTTEN))
    elif table is schema.deliveries:
        query = query.where(table.c.delivered_at <= as_of)
    elif table is schema.holdouts:
        query = query.where(table.c.assigned_at <= as_of)
    elif table is schema.audience_sizes:
        query = query.where(table.c.asked_at <= as_of)
    elif table is schema.withdrawals_written:
        query = query.where(table.c.first_tried_at <= as_of)
    elif table is schema.identity_metrics:
        query = query.where(table.c.as_of <= as_of)
    elif table is schema.held_back:
        query = query.where(table.c.held_back_at <= as_of)
    elif table is schema.runs:
        query = query.where((table.c.status != RUNNING) | (table.c.run_id == run.run_id))
    elif table is schema.run_sources:
        visible = select(schema.runs.c.run_id).where(
            (schema.runs.c.status != RUNNING) | (schema.runs.c.run_id == run.run_id)
        )
        query = query.where(table.c.run_id.in_(visible))
    return query


def _has_happened(table: Table, as_of: int) -> ColumnElement[bool]:
    """Which statements about permission are of before the run: a clock ahead loses nobody's no."""
    happened = table.c.occurred_at <= as_of
    if table is schema.suppressions:
        return happened | (table.c.recorded_at <= as_of)
    if table is schema.consent_events:
        return happened | ((table.c.status != "granted") & (table.c.recorded_at <= as_of))
    return happened


def _own_row(name: str, run: Run) -> Any:
    column = schema.runs.c[name]
    own = schema.runs.c.run_id == run.run_id
    if name == "status":
        return case((own, literal(SUCCEEDED)), else_=column).label(name)
    if name == "finished_at":
        return case((own, null()), else_=column).label(name)
    return column


def _run_context(run: Run) -> pa.Table:
    return pa.table(
        {
            "run_id": pa.array([run.run_id]),
            "as_of": pa.array([to_micros(run.as_of)], pa.int64()).cast(pa.timestamp("us")),
            "code_version": pa.array([run.code_version]),
        }
    )


def _write(path: Path, columns: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write the rows as they come, so many at a time; returns their number."""
    written = 0
    with whole_file(path) as stream, pq.ParquetWriter(stream, columns, compression="zstd") as file:
        rows = iter(batches)
        while group := list(islice(rows, BATCHES_OF_A_GROUP)):
            table = pa.Table.from_batches(group)
            file.write_table(table)
            written += table.num_rows
    return written
