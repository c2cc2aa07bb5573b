"""The steps of one batch on its way into the raw store, and what each of them reads and leaves.

A batch is judged, its lines are numbered where lines have no id of their own, its bad rows are
written out for quarantine and its good rows are compared with what is known. What outlives a batch
is handed in (`seen.py`); what a step learns is handed back, and `intake.py` counts it.

Belongs here: the SQL of a step. Does not belong here: typing and checking a row (`judging.py`),
counting, limits, dlt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ingestion.duckdb import literal, name
from ingestion.landing.batch import CHUNK, PULLED, RawBatch
from ingestion.landing.counts import Loss
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
from ingestion.landing.raw_tables import QUARANTINE_TABLE, arrow_schema
from ingestion.landing.reduction import is_reduced, reduced_rows, reduced_text
from ingestion.landing.seen import HELD_IDS, Seen, StoredRows

# The relations of a batch beside `CHUNK`; each is written by the one step that leaves it, and the
# next batch replaces it.
JUDGED = "judged"
NUMBERED = "numbered"
CANDIDATES = "candidates"
STORED_IDS = "stored_ids"
BAD_ROWS = "bad_rows"
HELD_ROWS = "held_rows"


@dataclass(frozen=True)
class Batch:
    """Rows of one table in the scratch database; the methods are its steps, in their order.

    Args:
        session: the scratch database.
        spec: the table.
        raw: the rows as text.
    """

    session: duckdb.DuckDBPyConnection
    spec: TableSpec
    raw: RawBatch

    def judge(self) -> None:
        """Type and check every row.

        Reads the rows as text. Leaves `CHUNK`, the same rows as a relation, free texts reduced to
        what may be kept of them, and `JUDGED`, in the same number: the columns as stored,
        `_problem` (NULL where the row is good), `_row_id`, and a flag per column whose value was
        left empty, cut or may be two days.
        """
        self.session.register(CHUNK, self.raw.table)
        if is_reduced(self.spec):
            table = self.session.execute(reduced_rows(self.spec, self.raw)).to_arrow_table()
            self.session.register(CHUNK, table)
        query = judged_rows(self.spec, self.raw)
        self.session.execute(f"create or replace temp table {JUDGED} as {query}")

    def unknown_columns(self) -> set[str]:
        """Names that no column reads. Reads `CHUNK`, leaves nothing."""
        return unknown_columns(self.session, self.spec, self.raw)

    def rows_by_problem(self) -> list[tuple[str, str | None, str | None, int]]:
        """File, reason, column and how many rows; the reason of good rows is None.

        Reads `JUDGED`, leaves nothing.
        """
        rows: list[tuple[str, str | None, str | None, int]] = self.session.execute(
            f"select _file, _problem[1], _problem[2], count(*) from {JUDGED} group by all"
        ).fetchall()
        return rows

    def number_lines(self, seen: Seen, stored: StoredRows | None) -> None:
        """Tell lines of one file that share a key apart: from the second on, key and id say which,
        so that the same lines of a later file are their versions.

        Reads `JUDGED` and the run's line counts of the file that goes on in this batch. Leaves
        `NUMBERED`, the line counts with this batch, and `JUDGED` with other keys and ids.

        Args:
            seen: the run's line counts.
            stored: the raw store, where the rows are further ones of files that were read before,
                so that they come after the stored lines of their keys.
        """
        if stored and stored.has_rows(self.spec.name):
            self._count_stored_lines(seen, stored)
        self._number(seen)
        self._count_lines(seen, all_files=stored is not None)
        key = name(self.spec.line_key)
        self.session.execute(
            f"""
            update {JUDGED}
            set _row_id = md5(_row_id || '#' || occurrence), {key} = {key} || '#' || occurrence
            from {NUMBERED}
            where {JUDGED}.rowid = position and occurrence > 1
            """
        )

    def _count_stored_lines(self, seen: Seen, stored: StoredRows) -> None:
        """Count the stored lines of the keys at hand as if they came before in the same file.

        Reads `JUDGED` and the raw table; adds to the line counts.
        """
        counts, key = seen.line_counts(self.spec), name(self.spec.line_key)
        with stored.opened(self.session, self.spec.name) as table:
            self.session.execute(
                f"""
                insert into {counts}
                select distinct {JUDGED}._file, {JUDGED}.{key}, stored.n
                from {JUDGED} join (
                    select split_part({key}, '#', 1) as id,
                        max(coalesce(try_cast(split_part({key}, '#', 2) as bigint), 1)) as n
                    from {table} group by 1
                ) as stored on stored.id = {JUDGED}.{key}
                where ({JUDGED}._file, {JUDGED}.{key}) not in (select (file, id) from {counts})
                """
            )

    def _number(self, seen: Seen) -> None:
        """Reads `JUDGED` and the line counts. Leaves `NUMBERED`: lines whose key another line of
        their file has, each with its position in `JUDGED` and its occurrence from 1 on."""
        counts, key = seen.line_counts(self.spec), name(self.spec.line_key)
        self.session.execute(
            f"""
            create or replace temp table {NUMBERED} as
            with repeated as (
                select _file as file, {key} as id, count(*) as n
                from {JUDGED} where {key} is not null group by all
                having n > 1 or (_file, {key}) in (select (file, id) from {counts})
            )
            select {JUDGED}.rowid as position, coalesce(earlier.n, 0) + row_number()
                over (partition by _file, {key} order by _line) as occurrence
            from {JUDGED}
            join repeated on repeated.file = _file and repeated.id = {key}
            left join {counts} as earlier on earlier.file = _file and earlier.id = {key}
            """
        )

    def _count_lines(self, seen: Seen, *, all_files: bool) -> None:
        """Reads `JUDGED`. Leaves the line counts of the batch's last file, which may go on in the
        next batch, or of all files."""
        counts, key = seen.line_counts(self.spec), name(self.spec.line_key)
        self.session.execute(
            f"""
            create or replace table {counts} as
            select file, id, sum(n) as n
            from (
                select _file as file, {key} as id, count(*) as n
                from {JUDGED} where {key} is not null group by all
                union all from {counts}
            )
            where file = (select max_by(_file, rowid) from {JUDGED}) or {all_files}
            group by all
            """
        )

    def bad_rows(self) -> pa.Table | None:
        """The bad rows as `new_held_rows` takes them, or None.

        Reads `JUDGED` and `CHUNK`, leaves nothing. Where a line of the file stands for several
        rows (an export's items), all of them are kept if one is bad: they are one order.
        """
        if not _count(self.session, f"from {JUDGED} where _problem is not null"):
            return None
        raw = f"rtrim({CHUNK}._raw, chr(10) || chr(13) || ' ')"
        if not self.raw.is_json:
            names = self.raw.header or ()
            pairs = ", ".join(f"{literal(text)}, {CHUNK}.c{i}" for i, text in enumerate(names))
            raw = f"json_object({pairs})::varchar"
        return self.session.execute(
            f"""
            select {CHUNK}._file as file, {CHUNK}._line as line,
                any_value({JUDGED}._problem[1]) as reason,
                any_value({JUDGED}._problem[2]) as field, {raw} as raw_text
            from {JUDGED} join {CHUNK} using (_file, _line)
            where {JUDGED}._problem is not null
            group by {CHUNK}._file, {CHUNK}._line, raw_text
            """
        ).to_arrow_table()

    def good_count(self) -> int:
        """How many rows are good, new or known. Reads `JUDGED`, leaves nothing."""
        return _count(self.session, f"from {JUDGED} where _problem is null")

    def note_good_ids(self, seen: Seen) -> None:
        """Reads `JUDGED`. Adds the ids of its good rows, new or known, to the run's."""
        seen.add_good(f"select _row_id from {JUDGED} where _problem is null")

    def choose_new(self, seen: Seen, stored: StoredRows) -> str:
        """SQL: which rows of `JUDGED` are good and known neither to the run nor to the raw store.

        Reads `JUDGED`, the run's row ids and the raw table. Leaves `CANDIDATES`, `STORED_IDS`, and
        the ids of the rows chosen among the run's. Of equal rows the first by file and line counts.
        Of the run's ids only those of the batch are held beside it, however many there are.
        """
        self.session.execute(
            f"""
            create or replace temp table {CANDIDATES} as
            select rowid as position, _row_id, _file, _line from {JUDGED}
            where _problem is null and _row_id::uuid not in (
                select id from {seen.row_ids(self.spec)}
                where id in (select _row_id::uuid from {JUDGED})
            )
            """
        )
        known = _note_stored_ids(self.session, stored, self.spec.name, "_row_id", CANDIDATES)
        chosen = "_problem is null"
        # Without anything known or doubled, all good rows are new: nothing is to be picked.
        distinct = _count(self.session, f"from (select distinct _row_id from {CANDIDATES})")
        if known or distinct < self.good_count():
            chosen = f"""rowid in (
                select position from {CANDIDATES}
                where _row_id not in (select id from {STORED_IDS})
                qualify row_number() over (partition by _row_id order by _file, _line) = 1
            )"""
        seen.add_rows(self.spec, f"select _row_id::uuid from {JUDGED} where {chosen}")
        return chosen

    def typed_rows(self, chosen: str, run_id: str) -> pa.Table:
        """The rows of `JUDGED` under the condition, as the raw table has them; leaves nothing."""
        stored = [column for column, _ in self.spec.stored_columns]
        columns = ", ".join(name(column) for column in (*stored, "_row_id"))
        table = self.session.execute(
            f"select {columns}, {literal(run_id)} as _run_id, _file, _line "
            f"from {JUDGED} where {chosen}"
        ).to_arrow_table()
        declared = (*self.spec.stored_columns, *BOOKKEEPING)
        return table.cast(arrow_schema(declared, "_row_id", table))

    def losses(self, chosen: str) -> Iterator[tuple[Loss, str, int]]:
        """Values of the rows under the condition that are not kept as written: what was done to
        them, column, how many.

        Reads `JUDGED`, leaves nothing.
        """
        flags: list[tuple[Loss, str, str]] = [
            *(("emptied", c, emptied_name(c)) for c in unreadable(self.spec, self.raw.is_json)),
            *(("cut", c.name, cut_name(c.name)) for c in cut_columns(self.spec)),
            *(("undecided", c.name, two_days_name(c.name)) for c in day_columns(self.spec)),
        ]
        if not flags:
            return
        counts = ", ".join(f"count(*) filter (where {flag})" for _, _, flag in flags)
        row = self.session.execute(f"select {counts} from {JUDGED} where {chosen}").fetchone()
        for (loss, column, _), rows in zip(flags, row or (), strict=True):
            if rows:
                yield loss, column, rows

    def close(self) -> None:
        """Let go of the rows as text; the relations stay until the next batch replaces them."""
        self.session.unregister(CHUNK)


def new_held_rows(
    session: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    bad_rows: pa.Table,
    run_id: str,
    seen: Seen,
    stored: StoredRows,
) -> pa.Table:
    """Those of the bad rows that quarantine does not have yet, as it keeps them.

    Reads the bad rows, the run's held ids and the raw store's quarantine. Leaves `BAD_ROWS`,
    `HELD_ROWS`, `STORED_IDS`, and the ids of all bad rows among the run's held ids.

    Args:
        session: the scratch database.
        spec: the table they were meant for.
        bad_rows: file, line, reason, field and raw_text of each.
        run_id: written beside each row.
        seen: what the run held before.
        stored: what earlier runs left in quarantine.
    """
    session.register(BAD_ROWS, bad_rows)
    session.execute(
        f"""
        create or replace temp table {HELD_ROWS} as
        select md5(concat_ws({SEPARATOR}, {literal(spec.name)}, file,
                case when starts_with(file, {literal(PULLED)}) then 0 else line end,
                reason, raw_text)) as quarantine_id,
            {literal(spec.name)} as table_name, file, line, reason, field,
            replace(raw_text, chr(0), '\\u0000') as raw_text,
            md5(raw_text) as row_hash, {literal(run_id)} as run_id
        from {BAD_ROWS}
        """
    )
    session.unregister(BAD_ROWS)
    _note_stored_ids(session, stored, QUARANTINE_TABLE, "quarantine_id", HELD_ROWS)
    new = session.execute(
        f"""
        select * from {HELD_ROWS}
        where quarantine_id not in (select id from {STORED_IDS})
            and quarantine_id not in (select id from {HELD_IDS})
        qualify row_number() over (partition by quarantine_id order by line) = 1
        """
    ).to_arrow_table()
    seen.add_held(f"select distinct quarantine_id from {HELD_ROWS}")
    return new.cast(arrow_schema(QUARANTINE_COLUMNS, "quarantine_id", new))


def reduced_rejects(
    session: duckdb.DuckDBPyConnection, spec: TableSpec, rejects: pa.Table
) -> pa.Table:
    """Records without a usable form, without the free text of which only a verdict is kept.

    Reads the rejects, leaves nothing.
    """
    if not is_reduced(spec):
        return rejects
    session.register(BAD_ROWS, rejects)
    text = reduced_text(spec, "raw_text")
    table = session.execute(f"select * replace ({text} as raw_text) from {BAD_ROWS}")
    reduced = table.to_arrow_table()
    session.unregister(BAD_ROWS)
    return reduced


def _note_stored_ids(
    session: duckdb.DuckDBPyConnection, stored: StoredRows, table: str, key: str, candidates: str
) -> int:
    """Leaves `STORED_IDS`: the keys of the relation `candidates` that the raw table has; how many.

    Reads `candidates` and the raw table.
    """
    session.execute(f"create or replace temp table {STORED_IDS} (id varchar)")
    if not stored.has_rows(table):
        return 0
    with stored.opened(session, table) as known:
        session.execute(
            f"insert into {STORED_IDS} select {key} from {known} "
            f"where {key} in (select {key} from {candidates})"
        )
    return _count(session, f"from {STORED_IDS}")


def _count(session: duckdb.DuckDBPyConnection, source: str) -> int:
    row = session.execute(f"select count(*) {source}").fetchone()
    return int(row[0]) if row else 0
