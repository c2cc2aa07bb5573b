"""One source read into raw within a run, and said to whoever waits.

Belongs here: the order of reading and of noting that it was read: nothing is sent while a source is
half read. Does not belong here: how a source is read (ingestion/pipelines.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.landing.counts import TableCounts
from ingestion.pipelines import declare_source, reads_anything, run_source
from ingestion.registry import enabled_sources
from orchestration.ops.runs import SourceCounts, record_source_counts
from orchestration.ops.unread_sources import (
    begin_reading,
    finish_reading,
    finish_restoring,
    waits_since_restore,
)
from orchestration.run.run import Run


def read_source(name: str, run: Run) -> list[TableCounts]:
    """Read a source that is on, declare the tables of one that is off; what became of its rows.

    Raises:
        RegularsError: the source could not be read; it stays noted as half read.
    """
    counts: list[TableCounts] = []
    begin_reading(run.store, name, run.run_id)
    if name in enabled_sources(run.settings):
        counts = run_source(name, run.ingest_context())
        record_source_counts(run.store, run.run_id, map(_as_row, counts))
    else:
        declare_source(name, run.ingest_context())
    finish_reading(run.store, name)
    restored = waits_since_restore(run.store, name)
    if restored and reads_anything(name, run.ingest_context()):
        finish_restoring(run.store, name)
    for line in _lines(name, counts):
        run.say(line)
    return counts


def _lines(name: str, counts: Sequence[TableCounts]) -> list[str]:
    """What a person reads of it: rows of the source where there were any, remarks of its tables."""
    received = sum(count.received for count in counts)
    withdrawn = sum(count.withdrawn for count in counts)
    quarantined = sum(count.quarantined for count in counts)
    lines = []
    if received or withdrawn:
        tail = f", {quarantined:,} quarantined" if quarantined else ""
        tail += f", {withdrawn:,} taken out" if withdrawn else ""
        lines.append(f"  {name}: {received:,} rows{tail}")
    remarks = ((count.table, remark) for count in counts for remark in count.remarks())
    return [*lines, *(f"  {name}/{table}: {remark}." for table, remark in remarks)]


def _as_row(count: TableCounts) -> SourceCounts:
    return SourceCounts(
        source=count.source,
        table_name=count.table,
        rows_received=count.received,
        rows_loaded=count.loaded,
        rows_quarantined=count.quarantined,
        rows_duplicate=count.duplicate,
        values_emptied=count.values_emptied,
    )
