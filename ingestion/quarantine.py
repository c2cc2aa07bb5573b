"""Quarantine: what could not be used and why, and a second chance under today's rules.

`replay` judges the stored texts again with the declarations and the mapping of now. What is good
is loaded through the same door as everything else, so exactly once, and only then leaves
quarantine; a replay that is killed in between finds its rows loaded and takes them off the list.
Whole files are not replayed: they are read again by themselves once they change.

`dismiss` marks rows that a person has looked at and gives up: they stay stored and are judged
again by a replay, and a refusal among them still counts, but no list, report or check names them.

Belongs here: listing, dismissing and replaying. Does not belong here: showing it to people (the
command line).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa

from ingestion.config import Quarantine
from ingestion.duckdb import connect
from ingestion.errors import RegularsError, UsageError
from ingestion.files.folder import InputFolder, form_of, shop_of
from ingestion.files.ledger import SETTINGS, read_ledger
from ingestion.files.source import FolderSource
from ingestion.input_folder import shop_patterns
from ingestion.landing.batch import RawBatch
from ingestion.landing.counts import TableCounts
from ingestion.landing.fields import (
    DOCUMENT_LIMIT,
    FILE_REASONS,
    QUARANTINE_COLUMNS,
    ROW_REASONS,
    TableSpec,
)
from ingestion.landing.intake import Intake
from ingestion.landing.masking import masked, value_of
from ingestion.landing.raw_tables import (
    QUARANTINE_TABLE,
    STOPPED_TABLE,
    table_resource,
    table_sizes,
)
from ingestion.pipelines import (
    RunContext,
    forget_working_files,
    load_source,
    pipeline_for,
    readable_error,
    shown,
)
from ingestion.registry import SOURCES

# Texts of these are not what the file said byte by byte, so judging them again proves nothing.
NOT_REPLAYABLE = ("bad_encoding", "bad_csv_line")
SHOWN_OF_A_FILE = 200
DISMISSED_TABLE = "_dismissed"  # beside a source's quarantine: the ids that a person gave up
NO_LIMITS = Quarantine(max_share=1.0, max_rows=10**12, accept=("*",))


@dataclass(frozen=True)
class QuarantineCount:
    """How many rows of a table are held for one reason.

    `example` is the value of the first, or its text where no field is to blame, with every letter
    and digit replaced: what is wrong shows, whose it is does not. `location` is its file and line.
    `is_of_a_stop`: the source stopped, so nothing of its files was loaded.
    """

    source: str
    table: str
    reason: str
    field: str
    rows: int
    files: int
    example: str = ""
    location: str = ""
    is_of_a_stop: bool = False


@dataclass(frozen=True)
class QuarantinedRow:
    """One row held; `raw_text` is personal data and empty unless asked for. `is_of_a_stop`: its
    source stopped, so nothing of its files was loaded."""

    source: str
    table: str
    file: str
    line: int
    reason: str
    field: str
    run_id: str
    raw_text: str = ""
    is_of_a_stop: bool = False


@dataclass(frozen=True)
class ReplayCounts:
    """What a replay did with one table's rows: looked at, loaded, already known, still held."""

    source: str
    table: str
    replayed: int
    loaded: int
    duplicate: int
    still_held: int


def quarantine_counts(context: RunContext, source: str = "") -> list[QuarantineCount]:
    """Rows held per source, table, reason and field, most first."""
    counts = []
    for name, held_rows in _held(context, source):
        rows = _query(
            context,
            "select table_name, reason, coalesce(field, ''), count(*), count(distinct file), "
            "arg_min(case when line = 0 then '' else coalesce(raw_text, '') end, "
            "(file, line, quarantine_id)), "
            "min(file), arg_min(line, (file, line, quarantine_id)), is_of_a_stop "
            f"from {held_rows} group by all order by is_of_a_stop, 4 desc, 1, 2, 3",
        )
        for table, reason, field, held, files, text, file, line, is_of_a_stop in rows:
            location = f"{file}:{line}" if line else str(file)
            example = masked(value_of(text, field))
            counts.append(
                QuarantineCount(
                    name, table, reason, field, held, files, example, location, is_of_a_stop
                )
            )
    return counts


def quarantined_rows(
    context: RunContext, source: str = "", *, with_raw: bool = False, limit: int = 100
) -> list[QuarantinedRow]:
    """The rows held, by file and line; their texts only when asked for."""
    held: list[QuarantinedRow] = []
    raw = "''"
    if with_raw:  # of a file refused whole, the beginning will do
        raw = f"left(coalesce(raw_text, ''), if(line = 0, {SHOWN_OF_A_FILE}, {DOCUMENT_LIMIT}))"
    for name, held_rows in _held(context, source):
        rows = _query(
            context,
            "select table_name, file, line, reason, coalesce(field, ''), run_id, "
            f"{raw}, is_of_a_stop from {held_rows} "
            "order by is_of_a_stop, file, line, reason, quarantine_id "
            f"limit {int(limit) - len(held)}",
        )
        held += [QuarantinedRow(name, *row) for row in rows]
    return held


def waiting_rows(raw_path: Path) -> list[tuple[str, str, str, int]]:
    """Source, table, reason and number of the rows in quarantine that nobody has dismissed.

    Rows of a source that stopped are not among them: the next run reads those again.
    """
    if not raw_path.exists():
        return []
    waiting = []
    with connect(raw_path, read_only=True) as connection:
        tables = set(
            connection.execute(
                "select schema_name, table_name from duckdb_tables() where table_name in (?, ?)",
                [QUARANTINE_TABLE, DISMISSED_TABLE],
            ).fetchall()
        )
        for schema in sorted(schema for schema, table in tables if table == QUARANTINE_TABLE):
            kept = _not_dismissed(schema, (schema, DISMISSED_TABLE) in tables)
            rows = connection.execute(
                f"select table_name, reason, count(*) from {schema}.{QUARANTINE_TABLE} "
                f"where {kept} group by all order by all"
            ).fetchall()
            waiting += [(schema.removeprefix("raw_"), *row) for row in rows]
    return waiting


def dismiss(context: RunContext, at: datetime, source: str = "", reason: str = "") -> int:
    """Mark rows in quarantine as looked at and given up; how many were not before.

    Args:
        context: the home.
        at: when, naive UTC.
        source: only this source's.
        reason: only rows with this reason.

    Raises:
        UsageError: the source or the reason is unknown.
    """
    if reason and reason not in (*FILE_REASONS, *ROW_REASONS):
        raise UsageError(
            f"There is no reason called {reason}.", "`regulars quarantine list` shows the reasons."
        )
    dismissed = 0
    for name in _sources_with_quarantine(context, source):
        with connect(context.raw_path) as connection:
            connection.execute(
                f"create table if not exists raw_{name}.{DISMISSED_TABLE} "
                "(quarantine_id varchar, dismissed_at timestamp)"
            )
            row = connection.execute(
                f"insert into raw_{name}.{DISMISSED_TABLE} "
                f"select quarantine_id, ?::timestamp from raw_{name}.{QUARANTINE_TABLE} "
                "where (? = '' or reason = ?) and quarantine_id not in "
                f"(select quarantine_id from raw_{name}.{DISMISSED_TABLE})",
                [at, reason, reason],
            ).fetchone()
            dismissed += int(row[0]) if row else 0
    return dismissed


def replay(context: RunContext, source: str = "") -> list[ReplayCounts]:
    """Judge held rows again and load what is good now, exactly once.

    Raises:
        UsageError: the source is unknown, or a mapping that is needed cannot be found.
    """
    counts = []
    for name in _sources_with_quarantine(context, source):
        held = _query(
            context,
            f"select quarantine_id, table_name, file, line, raw_text from raw_{name}.quarantine "
            f"where line > 0 and reason not in {NOT_REPLAYABLE} "
            "order by table_name, file, line, quarantine_id",
        )
        if held:
            counts += _replay_source(context, name, held)
    return counts


def _replay_source(
    context: RunContext, name: str, held: list[tuple[Any, ...]]
) -> list[ReplayCounts]:
    by_table = {table: list(rows) for table, rows in groupby(held, key=lambda row: row[1])}
    parts = _parts(context, name, by_table)
    forget_working_files(name, context.dlt_dir)
    intake = Intake(name, context.raw_path, context.run_id, NO_LIMITS, len(parts), goes_on=True)
    try:
        resources = [
            table_resource(declared, chain.from_iterable(_admitted(intake, parts, declared.name)))
            for declared in SOURCES[name].tables
            if declared.name in by_table
        ]
        dlt_source = dlt.source(lambda: resources, name=name)()
        load_source(pipeline_for(name, context.dlt_dir, context.raw_path), dlt_source)
        settled = intake.settle()
        still_bad = intake.bad_ids()
        _release(context, name, [row[0] for row in held if row[0] not in still_bad])
        return [_counts(count, by_table[count.table], still_bad) for count in settled]
    except RegularsError:
        raise
    except Exception as error:
        raise readable_error(name, error) from shown(error)
    finally:
        intake.close()
        forget_working_files(name, context.dlt_dir)


def _counts(count: TableCounts, rows: list[tuple[Any, ...]], still_bad: set[str]) -> ReplayCounts:
    kept = sum(row[0] in still_bad for row in rows)
    still_held = kept + count.quarantined
    known = count.received - count.loaded - still_held
    return ReplayCounts(count.source, count.table, count.received, count.loaded, known, still_held)


def _admitted(
    intake: Intake, parts: list[tuple[TableSpec, list[tuple[Any, ...]]]], table: str
) -> Iterator[Iterator[Any]]:
    """What is good now of a table's held rows, shop after shop."""
    for spec, rows in parts:
        if spec.name == table:
            yield intake.admit(spec, held_batches(rows))


def _parts(
    context: RunContext, name: str, by_table: dict[str, list[tuple[Any, ...]]]
) -> list[tuple[TableSpec, list[tuple[Any, ...]]]]:
    """Held rows under today's declaration of their table, those of each shop's files apart."""
    shops = shop_patterns(context.settings)
    of_shop = {row[2]: shop_of(row[2], shops) for rows in by_table.values() for row in rows}
    parts = []
    for shop in sorted(set(of_shop.values())):
        for spec in _specs(context, name, set(by_table), shop):
            rows = [row for row in by_table[spec.name] if of_shop[row[2]] == shop]
            if rows:
                parts.append((replace(spec, shop=shop), rows))
    return parts


def _specs(context: RunContext, name: str, tables: set[str], shop: str) -> list[TableSpec]:
    """Today's declarations of the tables for a shop's files; a mapped table needs its mapping."""
    source = SOURCES[name]
    specs = {spec.name: spec for spec in source.tables}
    if isinstance(source, FolderSource) and source.mapped:
        mapped = source.mapped(replace(context.folder or InputFolder.nowhere(), shop=shop))
        was_mapped = SETTINGS in read_ledger(context.raw_path, name)
        if mapped is None and was_mapped:
            raise UsageError(
                f"Replaying {name} needs {source.settings_file}, which was not found.",
                "Give --input the folder that holds it.",
            )
        specs |= {mapped.name: mapped} if mapped else {}
    return [spec for table, spec in specs.items() if table in tables]


def held_batches(rows: Iterable[tuple[Any, ...]]) -> Iterator[RawBatch]:
    """Held rows in the form they were read in: documents, or columns under a header."""
    forms = [(_form(file, text), file, line, text) for _, _, file, line, text in rows]
    for header, group in groupby(forms, key=lambda form: form[0]):
        members = list(group)
        columns: dict[str, Any] = {
            "_file": [member[1] for member in members],
            "_line": pa.array([member[2] for member in members], pa.int64()),
        }
        if header is None:
            columns["_raw"] = pa.array([member[3] for member in members], pa.large_string())
        else:
            values = [list(json.loads(member[3]).values()) for member in members]
            for index in range(len(header)):
                texts = [row[index] or "" for row in values]
                columns[f"c{index}"] = pa.array(texts, pa.string())
        yield RawBatch(pa.table(columns), header)


def _form(file: str, text: str) -> tuple[str, ...] | None:
    """The header of a row that came from columns, None for a document."""
    if form_of(file)[0] not in ("csv", "parquet"):
        return None
    try:
        row = json.loads(text)
    except ValueError:
        return None
    if not isinstance(row, dict) or any(isinstance(v, dict | list) for v in row.values()):
        return None
    return tuple(row)


def _release(context: RunContext, name: str, ids: list[str]) -> None:
    with connect(context.raw_path) as connection:
        connection.execute(
            f"delete from raw_{name}.quarantine where quarantine_id in (select unnest(?))", [ids]
        )


def _held(context: RunContext, source: str) -> Iterator[tuple[str, str]]:
    """Each source with rows held, and the query for them: in quarantine and not dismissed, and of
    its last stop."""
    columns = ", ".join(name for name, _ in QUARANTINE_COLUMNS)
    for name in _named(source):
        sizes = table_sizes(context.raw_path, name)
        waiting = _not_dismissed(f"raw_{name}", DISMISSED_TABLE in sizes)
        parts = [
            f"select {columns}, {is_of_a_stop} as is_of_a_stop from raw_{name}.{table} where {kept}"
            for table, is_of_a_stop, kept in (
                (QUARANTINE_TABLE, "false", waiting),
                (STOPPED_TABLE, "true", "true"),
            )
            if sizes.get(table)
        ]
        if parts:
            yield name, f"({' union all '.join(parts)})"


def _named(source: str) -> list[str]:
    if source and source not in SOURCES:
        raise UsageError(
            f"There is no source called {source}.", f"Known: {', '.join(sorted(SOURCES))}."
        )
    return [source] if source else list(SOURCES)


def _sources_with_quarantine(context: RunContext, source: str) -> list[str]:
    return [
        name for name in _named(source) if table_sizes(context.raw_path, name).get(QUARANTINE_TABLE)
    ]


def _not_dismissed(schema: str, has_dismissed: bool) -> str:
    """The condition on rows of the quarantine of a schema that nobody gave up."""
    if not has_dismissed:
        return "true"
    return f"quarantine_id not in (select quarantine_id from {schema}.{DISMISSED_TABLE})"


def _query(context: RunContext, query: str) -> list[tuple[Any, ...]]:
    with connect(context.raw_path) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(query).fetchall()
        return rows
