"""The store as Parquet files, which dbt reads as its source `ops`.

Belongs here: which rows and columns leave, typed and in a fixed order. Does not belong here: any
derivation; the models do that.

Data flow: operational store -> `$REGULARS_HOME/ops_export/<table>.parquet`, written before dbt.

Facts later than the run's `as_of` stay behind, so a run as of a past date sees the past. Every file
is written beside its place and then moved there, so a reader never sees half a file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Select, Table, case, literal, null, select

from orchestration.ops import schema
from orchestration.ops.consents import CHANNELS, EVERY, PURPOSES
from orchestration.ops.runs import RUNNING, SUCCEEDED, Run
from orchestration.ops.store import Store, fetch_columns, to_micros

_TEXT = pa.string()
_TIME = pa.timestamp("us")
_COUNT = pa.int64()


@dataclass(frozen=True)
class _Export:
    """One file: its table, its columns and the columns that order it (a key, so it is total)."""

    table: Table
    columns: tuple[tuple[str, pa.DataType], ...]
    order: tuple[str, ...]


def _texts(*names: str) -> tuple[tuple[str, pa.DataType], ...]:
    return tuple((name, _TEXT) for name in names)


def _times(*names: str) -> tuple[tuple[str, pa.DataType], ...]:
    return tuple((name, _TIME) for name in names)


def _counts() -> tuple[tuple[str, pa.DataType], ...]:
    names = ("rows_received", "rows_loaded", "rows_quarantined", "rows_duplicate")
    return tuple((name, _COUNT) for name in names)


EXPORTS = (
    _Export(
        schema.consent_events,
        (
            *_texts("consent_event_id", "identifier_type", "identifier_value", "channel"),
            *_texts("purpose", "status"),
            *_times("occurred_at"),
            *_texts("source", "wording_version"),
            *_times("expires_at"),
            *_texts("proof", "lawful_basis"),
            *_times("recorded_at"),
        ),
        ("consent_event_id",),
    ),
    _Export(
        schema.suppressions,
        (
            *_texts("suppression_id", "identifier_type", "identifier_value", "channel"),
            *_texts("purpose", "reason"),
            *_times("occurred_at"),
            *_texts("source"),
        ),
        ("suppression_id",),
    ),
    _Export(
        schema.identity_registry,
        (
            *_texts("identifier_type", "identifier_value", "customer_id"),
            *_times("registered_at"),
        ),
        ("identifier_type", "identifier_value"),
    ),
    _Export(
        schema.identity_moves,
        (
            *_texts("identifier_type", "identifier_value"),
            *_times("moved_at"),
            *_texts("from_customer_id", "to_customer_id", "move_type", "reason", "rule"),
            *_texts("source_system", "source_record_id", "evidence_grade"),
            *_times("effective_at", "registered_at"),
        ),
        ("identifier_type", "identifier_value", "moved_at"),
    ),
    _Export(
        schema.identity_metrics,
        (*_texts("run_id", "metric", "kind"), *_times("as_of"), ("value", _COUNT)),
        ("run_id", "metric", "kind"),
    ),
    _Export(
        schema.customer_aliases,
        (*_texts("alias_id", "customer_id"), *_times("merged_at")),
        ("alias_id",),
    ),
    _Export(
        schema.segment_memberships,
        (*_texts("segment", "customer_id"), *_times("entered_at", "exited_at")),
        ("segment", "customer_id", "entered_at"),
    ),
    _Export(
        schema.deliveries,
        (
            *_texts("delivery_id", "sync_run_id", "segment", "destination", "customer_id"),
            *_texts("operation", "channel", "purpose", "consent_receipt_id", "content_hash"),
            *_times("delivered_at"),
            *_texts("outcome"),
        ),
        ("delivery_id",),
    ),
    _Export(
        schema.held_back,
        (
            *_texts("sync_run_id", "segment", "destination", "customer_id", "channel"),
            *_texts("purpose", "reason"),
            *_times("held_back_at"),
        ),
        ("sync_run_id", "segment", "destination", "customer_id"),
    ),
    _Export(
        schema.runs,
        (
            *_texts("run_id"),
            *_times("as_of"),
            *_texts("code_version", "status"),
            *_counts(),
            *_times("started_at", "finished_at"),
        ),
        ("run_id",),
    ),
    _Export(
        schema.run_sources,
        (
            *_texts("run_id", "source", "table_name"),
            *_counts(),
            ("values_emptied", _COUNT),
        ),
        ("run_id", "source", "table_name"),
    ),
)


def export_ops(store: Store, folder: Path, run: Run) -> dict[str, int]:
    """Write every file of the export for this run; returns the rows per file.

    The run's own row reads as it will once the run is done, because the file it stands in is only
    published if it is.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sizes = {}
    with store.read() as connection:
        for export in EXPORTS:
            table = fetch_columns(connection, _query(export, run), export.columns)
            _write(folder / f"{export.table.name}.parquet", table)
            sizes[export.table.name] = table.num_rows
    _write(folder / "run_context.parquet", _run_context(run))
    sizes["run_context"] = 1
    return sizes


def _query(export: _Export, run: Run) -> Select[Any]:
    table = export.table
    as_of = to_micros(run.as_of)
    columns: list[Any] = [table.c[name] for name, _ in export.columns]
    if table is schema.runs:
        columns = [_own_row(name, run) for name, _ in export.columns]
    query = select(*columns).order_by(*(table.c[name] for name in export.order))
    if table is schema.consent_events or table is schema.suppressions:
        known = table.c.purpose.in_((*PURPOSES, EVERY)) | table.c.purpose.startswith("group:")
        query = query.where(table.c.occurred_at <= as_of, known)
        query = query.where(table.c.channel.in_((*CHANNELS, EVERY)))
    elif table is schema.deliveries:
        query = query.where(table.c.delivered_at <= as_of)
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
            "run_id": pa.array([run.run_id], _TEXT),
            "as_of": pa.array([to_micros(run.as_of)], _COUNT).cast(_TIME),
            "code_version": pa.array([run.code_version], _TEXT),
        }
    )


def _write(path: Path, table: pa.Table) -> None:
    beside = path.with_suffix(".parquet.new")
    descriptor = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        pq.write_table(table, stream, compression="zstd")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
