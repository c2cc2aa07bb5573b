"""Where rows enter: typed, checked, told apart from what is already known, and counted.

`Intake.admit` takes batches of text for one table and yields what dlt loads: new good rows as
Arrow, bad rows for the `quarantine` table. It counts while it decides, and after the load
`settle` compares those counts with the tables themselves, so the conservation law
received = loaded + quarantined + duplicate is measured twice and can fail.

Belongs here: everything that is the same for all sources, files and APIs alike. Does not belong
here: reading (`files.py`), declaring (`sources/`), running dlt (`pipelines.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingestion.config import Quarantine
from ingestion.duckdb import connect, literal, name
from ingestion.errors import SourceError
from ingestion.landing.batch import RawBatch, Reject
from ingestion.landing.counts import TableCounts, Tally
from ingestion.landing.fields import (
    BOOKKEEPING,
    QUARANTINE_COLUMNS,
    SEPARATOR,
    TableSpec,
    cut_columns,
    cut_name,
    day_columns,
    emptied_name,
    two_days_name,
    unreadable,
)
from ingestion.landing.judging import judged_rows, unknown_columns
from ingestion.landing.limits import FileCounts, check_limits
from ingestion.landing.raw_tables import (
    QUARANTINE_TABLE,
    arrow_schema,
    as_quarantine,
    empty_tables,
    table_sizes,
)

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
    ) -> None:
        """Open a scratch database in memory; the raw store is only looked at.

        Args:
            source: name of the source; its tables live in schema `raw_<source>`.
            raw_path: the raw store, which need not exist yet.
            run_id: written beside each row.
            limits: when quarantine stops the source.
            tables: how many tables the source admits; the limits are checked after the last.
            goes_on: the rows are further ones of files that were read before, so lines that share
                a key with stored ones come after those.
            keeps_ids: remember every good row, for `good_ids`; small sources only.
        """
        self.source = source
        self.raw_path = raw_path
        self.run_id = run_id
        self.limits = limits
        self.tallies: dict[str, Tally] = {}
        self.put_aside: list[pa.Table] = []
        self._files: dict[str, FileCounts] = {}
        self._pending_tables = tables
        self._keeps_ids = keeps_ids
        self._goes_on = goes_on
        self._db = connect()
        self._db.execute("set timezone = 'UTC'")
        self._db.execute("create table seen_bad (id varchar)")
        self._db.execute("create table seen_good (id varchar)")
        self._before = table_sizes(raw_path, source)

    def close(self) -> None:
        """Forget the scratch data."""
        self._db.close()

    def admit(
        self, spec: TableSpec, batches: Iterable[RawBatch], rejects: list[Reject] | None = None
    ) -> Iterator[Any]:
        """Yield what dlt is to load for `spec`; always at least the empty tables.

        Args:
            spec: the table.
            batches: its rows as text.
            rejects: records without a usable form, filled while `batches` are read.
        """
        tally = self.tallies.setdefault(spec.name, Tally())
        self._db.execute(f"create or replace table {seen(spec)} (id varchar)")
        self._db.execute(
            f"create or replace table {occurrences(spec)} (file varchar, id varchar, n bigint)"
        )
        yield from empty_tables(spec)
        # dlt takes turns between a source's tables, so a batch is settled before it is handed out.
        for batch in batches:
            yield from self._admit_batch(spec, batch, tally)
            yield from self._quarantine_rejects(spec, rejects, tally)
        yield from self._quarantine_rejects(spec, rejects, tally)
        self._pending_tables -= 1
        if self._pending_tables <= 0:
            self._check_limits()

    def _admit_batch(self, spec: TableSpec, batch: RawBatch, tally: Tally) -> list[Any]:
        self._db.register("chunk", batch.table)
        self._db.execute(f"create or replace temp table judged as {judged_rows(spec, batch)}")
        tally.received += batch.table.num_rows
        self._count_by_file()
        tally.ignored |= unknown_columns(self._db, spec, batch)
        if spec.line_key:
            self._number_lines(spec)
        bad = self._bad_rows(spec, batch, tally)
        good = self._new_rows(spec, batch, tally)
        if self._keeps_ids:
            self._db.execute(
                "insert into seen_good select _row_id from judged where _problem is null"
            )
        self._db.unregister("chunk")
        return [*bad, good] if good.num_rows else bad

    def _number_lines(self, spec: TableSpec) -> None:
        """Lines of one file that share a key are different lines: from the second on, key and id
        say which, so that the same lines of a later file are their versions.

        `occurrences` carries the counts of a file that goes on in the next batch.
        """
        before, key = occurrences(spec), name(spec.line_key)
        if self._goes_on and self._before.get(spec.name):
            self._note_stored_lines(spec)
        counted = f"select _file as file, {key} as id, count(*) as n from judged"
        self._db.execute(
            f"""
            create or replace temp table repeated as
            {counted} where {key} is not null group by all
            having n > 1 or (_file, {key}) in (select (file, id) from {before})
            """
        )
        last_file = "(select max_by(_file, rowid) from judged)"
        self._db.execute(
            f"""
            create or replace temp table numbered as
            select judged.rowid as row_number_in_batch, coalesce(earlier.n, 0) + row_number()
                over (partition by _file, {key} order by _line) as occurrence
            from judged
            join repeated on repeated.file = _file and repeated.id = {key}
            left join {before} as earlier on earlier.file = _file and earlier.id = {key}
            """
        )
        self._db.execute(
            f"""
            create or replace table {before} as
            select file, id, sum(n) as n
            from ({counted} where {key} is not null group by all union all from {before})
            where file = {last_file} or {self._goes_on}
            group by all
            """
        )
        self._db.execute(
            f"""
            update judged
            set _row_id = md5(_row_id || '#' || occurrence), {key} = {key} || '#' || occurrence
            from numbered
            where judged.rowid = row_number_in_batch and occurrence > 1
            """
        )

    def _note_stored_lines(self, spec: TableSpec) -> None:
        """Count the stored lines of the keys at hand as if they stood before in the same file."""
        before, key = occurrences(spec), name(spec.line_key)
        self._db.execute(f"attach {literal(str(self.raw_path))} as raw (read_only)")
        try:
            self._db.execute(
                f"""
                insert into {before}
                select distinct judged._file, judged.{key}, stored.n
                from judged join (
                    select split_part({key}, '#', 1) as id,
                        max(coalesce(try_cast(split_part({key}, '#', 2) as bigint), 1)) as n
                    from raw.raw_{self.source}.{name(spec.name)} group by 1
                ) as stored on stored.id = judged.{key}
                where (judged._file, judged.{key}) not in (select (file, id) from {before})
                """
            )
        finally:
            self._db.execute("detach raw")

    def _new_rows(self, spec: TableSpec, batch: RawBatch, tally: Tally) -> pa.Table:
        """The good rows that neither this run nor the raw store has seen."""
        self._db.execute(
            f"""
            create or replace temp table fresh as
            select rowid as position, _row_id, _file, _line from judged
            where _problem is null and _row_id not in (select id from {seen(spec)})
            """
        )
        good = self._count("select count(*) from judged where _problem is null")
        known = self._known(spec.name, "_row_id", "fresh")
        chosen = "_problem is null"
        if known or self._count("select count(distinct _row_id) from fresh") < good:
            chosen = """rowid in (
                select position from fresh where _row_id not in (select id from known_ids)
                qualify row_number() over (partition by _row_id order by _file, _line) = 1
            )"""
        stored = [column for column, _ in spec.stored_columns]
        columns = ", ".join(name(column) for column in (*stored, "_row_id"))
        table = self._db.execute(
            f"select {columns}, {literal(self.run_id)} as _run_id, _file, _line "
            f"from judged where {chosen}"
        ).to_arrow_table()
        self._db.execute(f"insert into {seen(spec)} select _row_id from judged where {chosen}")
        self._count_losses(spec, batch, tally, chosen)
        tally.new += table.num_rows
        tally.duplicate += good - table.num_rows
        return table.cast(arrow_schema((*spec.stored_columns, *BOOKKEEPING), "_row_id", table))

    def _count_losses(self, spec: TableSpec, batch: RawBatch, tally: Tally, chosen: str) -> None:
        """Note which values of the rows let in were left empty or have more digits than kept."""
        emptied = {name: emptied_name(name) for name in unreadable(spec, batch.is_json)}
        cut = {column.name: cut_name(column.name) for column in cut_columns(spec)}
        undecided = {column.name: two_days_name(column.name) for column in day_columns(spec)}
        flags = [*emptied.values(), *cut.values(), *undecided.values()]
        if not flags:
            return
        counts = ", ".join(f"count(*) filter (where {flag})" for flag in flags)
        row = self._db.execute(f"select {counts} from judged where {chosen}").fetchone() or ()
        tally.emptied.update({n: c for n, c in zip(emptied, row, strict=False) if c})
        found = iter(row[len(emptied) :])
        tally.cut.update({n: c for n, c in zip(cut, found, strict=False) if c})
        tally.undecided.update({n: c for n, c in zip(undecided, found, strict=True) if c})

    def _known(self, table: str, key: str, candidates: str) -> int:
        """Fill `known_ids` with those keys of `candidates` that the raw store already has."""
        self._db.execute("create or replace temp table known_ids (id varchar)")
        if not self._before.get(table):
            return 0
        self._db.execute(f"attach {literal(str(self.raw_path))} as raw (read_only)")
        try:
            stored = f"raw.raw_{self.source}.{name(table)}"
            self._db.execute(
                f"insert into known_ids select {key} from {stored} "
                f"where {key} in (select {key} from {candidates})"
            )
        finally:
            self._db.execute("detach raw")
        return self._count("select count(*) from known_ids")

    def _bad_rows(self, spec: TableSpec, batch: RawBatch, tally: Tally) -> list[Any]:
        if not self._count("select count(*) from judged where _problem is not null"):
            return []
        raw = "any_value(rtrim(chunk._raw, chr(10) || chr(13) || ' '))"
        if not batch.is_json:
            names = batch.header or ()
            pairs = ", ".join(f"{literal(name)}, chunk.c{i}" for i, name in enumerate(names))
            raw = f"any_value(json_object({pairs})::varchar)"
        found = self._db.execute(
            f"""
            select chunk._file as file, chunk._line as line,
                any_value(judged._problem[1]) as reason,
                any_value(judged._problem[2]) as field, {raw} as raw_text
            from judged join chunk using (_file, _line)
            where judged._problem is not null
            group by chunk._file, chunk._line
            """
        ).to_arrow_table()
        return self._quarantine(spec, found, tally)

    def _quarantine_rejects(
        self, spec: TableSpec, rejects: list[Reject] | None, tally: Tally
    ) -> list[Any]:
        if not rejects:
            return []
        taken, rejects[:] = list(rejects), []
        tally.received += len(taken)
        for reject in taken:
            counts = self._files.setdefault(reject.file, FileCounts())
            counts.bad[reject.reason, reject.field] += 1
            counts.is_unreadable |= reject.line == 0
        names = ("file", "line", "reason", "field", "raw_text")
        found = pa.table({name: [getattr(reject, name) for reject in taken] for name in names})
        return self._quarantine(spec, found, tally)

    def _quarantine(self, spec: TableSpec, found: pa.Table, tally: Tally) -> list[Any]:
        """The bad rows that quarantine does not hold yet, marked for it."""
        self._db.register("found", found)
        self._db.execute(
            f"""
            create or replace temp table bad as
            select md5(concat_ws({SEPARATOR}, {literal(spec.name)}, file, line, reason, raw_text))
                    as quarantine_id,
                {literal(spec.name)} as table_name, file, line, reason, field,
                replace(raw_text, chr(0), '\\u0000') as raw_text,
                md5(raw_text) as row_hash, {literal(self.run_id)} as run_id
            from found
            """
        )
        self._db.unregister("found")
        self._known(QUARANTINE_TABLE, "quarantine_id", "bad")
        table = self._db.execute(
            """
            select * from bad
            where quarantine_id not in (select id from known_ids)
                and quarantine_id not in (select id from seen_bad)
            qualify row_number() over (partition by quarantine_id order by line) = 1
            """
        ).to_arrow_table()
        self._db.execute("insert into seen_bad select distinct quarantine_id from bad")
        tally.bad += table.num_rows
        space = KEPT_OF_A_STOP - sum(map(len, self.put_aside))
        if space > 0 and table.num_rows:
            self.put_aside.append(table.slice(0, space))
        tally.duplicate += found.num_rows - table.num_rows
        if not table.num_rows:
            return []
        schema = arrow_schema(QUARANTINE_COLUMNS, "quarantine_id", table)
        return [as_quarantine(table.cast(schema))]

    def _check_limits(self) -> None:
        check_limits(
            self.source,
            self._files,
            sum(tally.bad for tally in self.tallies.values()),
            self.limits,
            has_rows=any(self._before.get(table) for table in self.tallies),
        )

    def _count_by_file(self) -> None:
        """Keep for the limits what `judged` says of each file."""
        found = self._db.execute(
            "select _file, _problem[1], _problem[2], count(*) from judged group by all"
        )
        for path, reason, column, rows in found.fetchall():
            counts = self._files.setdefault(path, FileCounts())
            if reason is None:
                counts.good += rows
            else:
                counts.bad[reason, column or ""] += rows

    def bad_ids(self) -> set[str]:
        """The quarantine ids of all bad rows seen, known before or not."""
        return {row[0] for row in self._db.execute("select id from seen_bad").fetchall()}

    def good_ids(self) -> set[str]:
        """The row ids of all good rows seen, known before or not, where they were to be kept."""
        return {row[0] for row in self._db.execute("select id from seen_good").fetchall()}

    def settle(self) -> list[TableCounts]:
        """After the load: what the tables gained, checked against what was counted.

        Raises:
            SourceError: rows were lost or doubled on the way.
        """
        after = table_sizes(self.raw_path, self.source)
        gained = {name: after.get(name, 0) - self._before.get(name, 0) for name in after}
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

    def _count(self, query: str) -> int:
        row = self._db.execute(query).fetchone()
        return int(row[0]) if row else 0


def seen(spec: TableSpec) -> str:
    """The scratch table of row ids that this run has already let in."""
    return name(f"seen.{spec.name}")


def occurrences(spec: TableSpec) -> str:
    """The scratch table of how often the file being read has had each line key so far."""
    return name(f"occurrences.{spec.name}")
