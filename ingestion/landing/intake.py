"""Where rows enter: typed, checked, told apart from what is already known, and counted.

`Intake.admit` takes batches of text for one table and yields what dlt loads: new good rows as
Arrow, bad rows for the `quarantine` table. It counts while the steps of each batch (`steps.py`)
decide, and after the load `settle` compares those counts with the tables themselves, so the
conservation law received = loaded + quarantined + duplicate is measured twice and can fail.

Belongs here: the order of the steps, counts, limits; the same for all sources, files and APIs
alike. Does not belong here: the SQL of a step (`steps.py`), what a run knows of its rows
(`seen.py`), reading (`files/`), declaring (`sources/`), running dlt (`pipelines.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingestion.config import Quarantine
from ingestion.duckdb import connect
from ingestion.errors import SourceError
from ingestion.landing.batch import RawBatch, Reject
from ingestion.landing.counts import TableCounts, Tally
from ingestion.landing.fields import TableSpec
from ingestion.landing.limits import FileCounts, check_limits
from ingestion.landing.raw_tables import (
    QUARANTINE_TABLE,
    as_quarantine,
    empty_tables,
    table_sizes,
)
from ingestion.landing.seen import GOOD_IDS, HELD_IDS, Seen, StoredRows
from ingestion.landing.steps import Batch, new_held_rows, reduced_rejects
from ingestion.memory import BATCH_MEMORY

# Of a source that stops, so many bad rows are kept to be looked at.
KEPT_OF_A_STOP = 10_000


class Intake:
    """One source's way into the raw store, for one run."""

    def __init__(
        self,
        source: str,
        raw_path: Path,
        run_id: str,
        limits: Quarantine,
        tables: int = 1,
        *,
        keeps_ids: bool = False,
        goes_on: bool = False,
        whole_files: bool = True,
    ) -> None:
        """Open a scratch database; the raw store is only looked at.

        It holds a batch and the ids of the run, so its memory does not grow with the input.

        Args:
            source: name of the source; its tables live in schema `raw_<source>`.
            raw_path: the raw store, which need not exist yet.
            run_id: written beside each row.
            limits: when quarantine stops the source.
            tables: how many tables or parts of them are admitted; the limits are checked after the
                last.
            goes_on: the rows are further ones of files that were read before, so lines that share
                a key with stored ones come after those.
            keeps_ids: remember every good row, for `good_ids`; small sources only.
            whole_files: what is admitted are files, not a pull of what is new in an API.
        """
        self.source = source
        self.run_id = run_id
        self.limits = limits
        self.tallies: dict[str, Tally] = {}
        self.put_aside: list[pa.Table] = []
        self._files: dict[str, FileCounts] = {}
        self._pending_tables = tables
        self._keeps_ids = keeps_ids
        self._goes_on = goes_on
        self._whole_files = whole_files
        self._session = connect(at_most=BATCH_MEMORY)
        self._session.execute("set timezone = 'UTC'")
        self._seen = Seen(self._session)
        self._stored = StoredRows(source, raw_path, table_sizes(raw_path, source))

    def close(self) -> None:
        """Forget the scratch data."""
        self._session.close()

    def admit(
        self, spec: TableSpec, batches: Iterable[RawBatch], rejects: list[Reject] | None = None
    ) -> Iterator[Any]:
        """Yield what dlt is to load for `spec`; always at least the empty tables.

        Args:
            spec: the table.
            batches: its rows as text.
            rejects: records without a usable form, filled while `batches` are read.

        Raises:
            SourceError: after the last table, where too many rows cannot be used.
        """
        tally = self.tallies.setdefault(spec.name, Tally())
        self._seen.begin(spec)
        yield from empty_tables(spec)
        # dlt takes turns between a source's tables, so a batch is settled before it is handed out.
        for raw in batches:
            yield from self._admit_batch(Batch(self._session, spec, raw), tally)
            yield from self._hold_rejects(spec, rejects, tally)
        yield from self._hold_rejects(spec, rejects, tally)
        self._pending_tables -= 1
        if self._pending_tables <= 0:
            self._check_limits()

    def _admit_batch(self, batch: Batch, tally: Tally) -> list[Any]:
        batch.judge()
        tally.received += batch.raw.table.num_rows
        self._count_by_file(batch)
        tally.ignored |= batch.unknown_columns()
        if batch.spec.line_key:
            batch.number_lines(self._seen, self._stored if self._goes_on else None)
        bad_rows = batch.bad_rows()
        bad = [] if bad_rows is None else self._hold(batch.spec, bad_rows, tally)
        good = self._new_rows(batch, tally)
        if self._keeps_ids:
            batch.note_good_ids(self._seen)
        batch.close()
        return [*bad, good] if good.num_rows else bad

    def _new_rows(self, batch: Batch, tally: Tally) -> pa.Table:
        """The good rows that neither this run nor the raw store has seen, counted."""
        chosen = batch.choose_new(self._seen, self._stored)
        rows = batch.typed_rows(chosen, self.run_id)
        for loss, column, count in batch.losses(chosen):
            tally.losses(loss)[column] += count
        tally.new += rows.num_rows
        tally.duplicate += batch.good_count() - rows.num_rows
        return rows

    def _hold_rejects(
        self, spec: TableSpec, rejects: list[Reject] | None, tally: Tally
    ) -> list[Any]:
        """Records without a usable form as bad rows, counted; empties `rejects`."""
        if not rejects:
            return []
        taken, rejects[:] = list(rejects), []
        tally.received += len(taken)
        for reject in taken:
            counts = self._files.setdefault(reject.file, FileCounts())
            counts.bad[reject.reason, reject.field] += 1
            counts.is_unreadable |= reject.line == 0
        names = ("file", "line", "reason", "field", "raw_text")
        bad_rows = pa.table({name: [getattr(reject, name) for reject in taken] for name in names})
        return self._hold(spec, reduced_rejects(self._session, spec, bad_rows), tally)

    def _hold(self, spec: TableSpec, bad_rows: pa.Table, tally: Tally) -> list[Any]:
        """The bad rows that quarantine does not have yet, marked for it and counted."""
        rows = new_held_rows(self._session, spec, bad_rows, self.run_id, self._seen, self._stored)
        tally.bad += rows.num_rows
        tally.duplicate += bad_rows.num_rows - rows.num_rows
        if not rows.num_rows:
            return []
        space = KEPT_OF_A_STOP - sum(map(len, self.put_aside))
        if space > 0:
            self.put_aside.append(rows.slice(0, space))
        return [as_quarantine(rows)]

    def _check_limits(self) -> None:
        check_limits(
            self.source,
            self._files,
            sum(tally.bad for tally in self.tallies.values()),
            self.limits,
            has_rows=any(self._stored.has_rows(table) for table in self.tallies),
            whole_files=self._whole_files,
        )

    def _count_by_file(self, batch: Batch) -> None:
        """Keep for the limits what became of each file's rows."""
        for path, reason, column, rows in batch.rows_by_problem():
            counts = self._files.setdefault(path, FileCounts())
            if reason is None:
                counts.good += rows
            else:
                counts.bad[reason, column or ""] += rows

    def bad_ids(self) -> set[str]:
        """The quarantine ids of all bad rows seen, known before or not."""
        return self._seen.all_ids(HELD_IDS)

    def good_ids(self) -> set[str]:
        """The row ids of all good rows seen, known before or not, where they were to be kept."""
        return self._seen.all_ids(GOOD_IDS)

    def settle(self) -> list[TableCounts]:
        """After the load: what the tables gained, checked against what was counted.

        Raises:
            SourceError: rows were lost or doubled on the way.
        """
        before, after = self._stored.sizes, table_sizes(self._stored.path, self.source)
        gained = {table: after.get(table, 0) - before.get(table, 0) for table in after}
        counts = [
            TableCounts(
                self.source,
                name,
                tally.received,
                gained.get(name, 0),
                tally.bad,
                tally.duplicate,
                tuple(sorted(tally.ignored)),
                emptied=dict(sorted(tally.emptied.items())),
                undecided=dict(sorted(tally.undecided.items())),
                cut=dict(sorted(tally.cut.items())),
                recoded=tally.recoded,
                source_remarks=tuple(tally.source_remarks),
            )
            for name, tally in sorted(self.tallies.items())
        ]
        quarantined = gained.get(QUARANTINE_TABLE, 0)
        balanced = all(
            c.received == c.loaded + c.quarantined + c.duplicate for c in counts
        ) and quarantined == sum(c.quarantined for c in counts)
        if not balanced:
            shown = "; ".join(
                f"{c.table}: received {c.received:,}, loaded {c.loaded:,}, "
                f"quarantined {c.quarantined:,}, duplicate {c.duplicate:,}"
                for c in counts
            )
            raise SourceError(
                f"{self.source}: rows do not add up ({shown}; quarantine gained {quarantined:,}).",
                "Nothing was published. Run again; if it stays, report it with these numbers.",
            )
        return counts
