"""A look at the input before a run: what its files are, and what would become of their rows.

The files, and the first rows of the tables of databases, go through the readers and the judging of
a run, and nothing is kept: no store is opened or made. So it knows nothing of earlier runs; a row
that is a duplicate of a stored one counts as a row here.

Belongs here: the look, file by file. Does not belong here: rules of any kind (`landing/`,
`sources/`), showing it to people (the command line).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb

from ingestion.config import Settings
from ingestion.duckdb import connect, name
from ingestion.errors import SourceError, UsageError
from ingestion.files.beginning import beginning_of
from ingestion.files.folder import DOCUMENT, TEXT, UNKNOWN, InputFile, InputFolder
from ingestion.files.reader import Reader
from ingestion.files.recognised.registry import advice_for
from ingestion.files.source import FolderSource, TableInput
from ingestion.input_folder import folder_sources
from ingestion.landing.batch import CHUNK, RawBatch, Reject
from ingestion.landing.fields import DAY_TYPES, TableSpec, emptied_name, unreadable
from ingestion.landing.judging import judged_rows, known_indexes
from ingestion.landing.limits import FileCounts, check_limits
from ingestion.landing.masking import masked, value_of
from ingestion.landing.reduction import is_reduced, reduced_rows
from ingestion.landing.steps import Batch
from ingestion.registry import databases
from ingestion.sources.sql.tables import inputs as database_inputs

OWN_LAYOUT = "our own layout"
# Of a database's table so many rows are looked at; it may hold millions.
LOOKED_AT = 10_000
NO_LIMIT = datetime(2100, 1, 1)  # noqa: DTZ001 - UTC by definition


@dataclass(frozen=True)
class Problem:
    """Rows that would be put aside for one reason, with the location and the shape of the first."""

    reason: str
    field: str
    rows: int
    location: str = ""
    example: str = ""


@dataclass
class TableLook:
    """What one file says to one table.

    Args:
        table: `source/table`.
        rows: its rows, those that would be put aside included.
        put_aside: how many of them would be.
        problems: why, the most frequent first.
        emptied: values of other rows that could not be read and would be left empty, by column.
        first: its earliest day.
        last: its latest day.
        currencies: the currencies of its rows, by code.
    """

    table: str
    rows: int = 0
    put_aside: int = 0
    problems: list[Problem] = field(default_factory=list)
    emptied: Counter[str] = field(default_factory=Counter)
    first: date | None = None
    last: date | None = None
    currencies: set[str] = field(default_factory=set)


@dataclass
class FileLook:
    """One file.

    Args:
        path: below the input folder; of a database's table what stands as the file of its rows.
        taken_for: an export's title, or whose layout it is in; empty where nothing reads it.
        advice: what to do about a file that is not read as it is, where its beginning says it.
        tables: what it says to each table.
        used: names of its columns that some table reads.
        kept: names of columns that are kept as stated traits.
        unused: names of columns that nothing reads.
    """

    path: str
    taken_for: str = ""
    tables: list[TableLook] = field(default_factory=list)
    used: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True)
class InputLook:
    """All files, and what would stop a run, a sentence each."""

    files: list[FileLook]
    stops: list[str]


def look_through(folder: InputFolder, settings: Settings) -> InputLook:
    """Read every file once and the beginning of every table, judge the rows and keep none."""
    files = {
        file.path: FileLook(file.path, advice=advice_for(folder, file))
        for file in folder.everything
    }
    tables = databases(settings)
    stops = []
    with connect() as session:
        session.execute("set timezone = 'UTC'")
        for source in folder_sources(settings):
            try:
                _name_exports(folder, source, files)
                parts = source.route(folder, source.files(folder), False)
                counts, refused = _look_at_source(session, folder, source, parts, files)
                stops += refused
                for part in database_inputs(source, folder, tables, NO_LIMIT):
                    counts |= _look_at_table(session, folder, source, part, files)
                bad = sum(count.bad.total() for count in counts.values())
                if not refused:
                    check_limits(source.name, counts, bad, settings.quarantine, has_rows=False)
            except (SourceError, UsageError) as error:
                stops.append(error.sentences)
    return InputLook([files[path] for path in sorted(files)], stops)


def _name_exports(folder: InputFolder, source: FolderSource, files: dict[str, FileLook]) -> None:
    """Say what an export was taken for, also where its source is read no further."""
    for path, export in source.exports(folder, source.files(folder)).items():
        files.setdefault(path, FileLook(path)).taken_for = export.title


def _look_at_source(
    session: duckdb.DuckDBPyConnection,
    folder: InputFolder,
    source: FolderSource,
    parts: list[TableInput],
    files: dict[str, FileLook],
) -> tuple[dict[str, FileCounts], list[str]]:
    """The counts by file, and what stops a run at some files; the others are looked at too."""
    counts: dict[str, FileCounts] = {}
    refused = []
    for part in parts:
        if not part.files:
            continue
        for file in part.files:
            # Documents are notes wherever no source reads them.
            whole = files.setdefault(file.path, FileLook(file.path))
            _name_columns(folder, file, part, source, whole)
        try:
            looks = _look_at_part(session, folder, source, part)
        except UsageError as error:
            refused.append(error.sentences)
            continue
        for path, look in looks.items():
            files[path].tables.append(look)
            count = counts.setdefault(path, FileCounts())
            count.good += look.rows - look.put_aside
            count.bad.update({(each.reason, each.field): each.rows for each in look.problems})
            count.is_unreadable |= any(each.location == path for each in look.problems)
    return counts, refused


def _look_at_table(
    session: duckdb.DuckDBPyConnection,
    folder: InputFolder,
    source: FolderSource,
    part: TableInput,
    files: dict[str, FileLook],
) -> dict[str, FileCounts]:
    """What a database's table says to a folder's, as if it were a file."""
    title = part.translation.export.title if part.translation else ""
    look = TableLook(f"{source.name}/{part.spec.name}")
    for raw in part.pull({}, LOOKED_AT) if part.pull else ():
        _look_at_batch(session, folder, part.spec, raw, {part.location: look})
    title += f", its first {LOOKED_AT:,} rows" if look.rows == LOOKED_AT else ""
    used = tuple(column for column, is_read in part.columns.items() if is_read)
    unused = tuple(column for column in part.columns if column not in used)
    files[part.location] = FileLook(part.location, title, [look], used, unused=unused)
    count = FileCounts(look.rows - look.put_aside)
    count.bad.update({(each.reason, each.field): each.rows for each in look.problems})
    return {part.location: count}


def _look_at_part(
    session: duckdb.DuckDBPyConnection,
    folder: InputFolder,
    source: FolderSource,
    part: TableInput,
) -> dict[str, TableLook]:
    """What the files of one layout say to one table, by path."""
    table = f"{source.name}/{part.spec.name}"
    looks = {file.path: TableLook(table) for file in part.files}
    reader = part.reader(folder)
    for raw in reader.batches(part.files):
        _look_at_batch(session, folder, part.spec, raw, looks)
        _note_rejects(reader, looks)
    _note_rejects(reader, looks)
    part.after_reading(reader)
    for look in looks.values():
        look.problems.sort(key=lambda each: (-each.rows, each.reason, each.field))
    return looks


def _look_at_batch(
    session: duckdb.DuckDBPyConnection,
    folder: InputFolder,
    spec: TableSpec,
    raw: RawBatch,
    looks: dict[str, TableLook],
) -> None:
    """Judge a batch as a run does; of what is judged, only what is asked for is worked out."""
    table = raw.table
    session.register(CHUNK, table)
    if is_reduced(spec):
        table = session.execute(reduced_rows(spec, raw)).to_arrow_table()
        session.register(CHUNK, table)
    when = _moments(spec)
    money = [column.name for column in spec.columns if column.currency and column.stored]
    emptied = list(unreadable(spec, raw.is_json))
    # Of rows that would load: what stands in others may be anything, and is not shown.
    good = "filter (where _problem is null)"
    asked = [
        "count(*)",
        "count(*) filter (where _problem is not null)",
        f"min({name(when)}) {good}" if when else "null",
        f"max({name(when)}) {good}" if when else "null",
        f"list(distinct {name(money[0])}) {good}" if money else "null",
        *(
            f"count(*) filter (where _problem is null and {emptied_name(column)})"
            for column in emptied
        ),
    ]
    rows = session.execute(
        f"select _file, {', '.join(asked)} from ({judged_rows(spec, raw)}) group by _file"
    ).fetchall()
    for path, count, bad, first, last, currencies, *losses in rows:
        look = looks[path]
        look.rows += count
        look.put_aside += bad
        look.first = min(filter(None, (look.first, _day(first, folder.zone))), default=None)
        look.last = max(filter(None, (look.last, _day(last, folder.zone))), default=None)
        look.currencies |= {code for code in currencies or () if code}
        look.emptied.update({c: n for c, n in zip(emptied, losses, strict=True) if n})
    if any(row[2] for row in rows):
        _note_problems(session, spec, replace(raw, table=table), looks)
    session.unregister(CHUNK)


def _note_problems(
    session: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    raw: RawBatch,
    looks: dict[str, TableLook],
) -> None:
    batch = Batch(session, spec, raw)
    batch.judge()
    bad_rows = batch.bad_rows()
    batch.close()
    if bad_rows is None:
        return
    rows = sorted(bad_rows.to_pylist(), key=lambda row: (row["file"], row["line"]))
    for row in rows:
        _note(looks[row["file"]], Reject(**{k: row[k] or "" for k in row} | {"line": row["line"]}))


def _note_rejects(reader: Reader, looks: dict[str, TableLook]) -> None:
    """Records without a usable form, and files; empties the reader's list of them."""
    taken, reader.rejects[:] = list(reader.rejects), []
    for reject in taken:
        look = looks[reject.file]
        look.rows += 1
        look.put_aside += 1
        _note(look, reject)


def _note(look: TableLook, reject: Reject) -> None:
    """Count a row that would be put aside; the first of a kind is shown."""
    column = reject.field.partition(";")[0]  # what follows quotes a header, which may be a row
    for index, known in enumerate(look.problems):
        if (known.reason, known.field) == (reject.reason, column):
            look.problems[index] = replace(known, rows=known.rows + 1)
            return
    where = f"{reject.file}:{reject.line}" if reject.line else reject.file
    text = value_of(reject.raw_text, column) if reject.line else ""
    look.problems.append(Problem(reject.reason, column, 1, where, masked(text)))


def _name_columns(
    folder: InputFolder,
    file: InputFile,
    part: TableInput,
    source: FolderSource,
    look: FileLook,
) -> None:
    """What the file is taken for, and which of its columns the table reads."""
    look.taken_for = _taken_for(part, source, file)
    has_header = file.format not in (UNKNOWN, DOCUMENT, TEXT) and not file.problem
    beginning = beginning_of(folder, file) if has_header else None
    if beginning is None:
        return
    header = beginning.header
    if part.translation:
        header = part.translation.headers_of(beginning.line) or header
        places = part.translation.known(header)
    elif beginning.is_json:
        tops = {path.split(".")[0] for column in part.spec.columns for path in column.paths}
        places = {i for i, key in enumerate(header) if key in tops or "$" in tops}
    else:
        places = known_indexes(part.spec, header)
    keeps = part.translation.feed.keeps_others if part.translation else bool(part.spec.attributes)
    left = part.translation.left(header) if part.translation else set()
    named = tuple(dict.fromkeys(header))
    used = set(look.used) | {header[i] for i in places}
    kept = set(look.kept)
    if keeps:
        kept |= {key for i, key in enumerate(header) if i not in left and key not in used}
    look.used = tuple(key for key in named if key in used)
    look.kept = tuple(key for key in named if key in kept - used)
    look.unused = tuple(key for key in named if key not in used | kept)


def _taken_for(part: TableInput, source: FolderSource, file: InputFile) -> str:
    shop = f", of the shop {part.spec.shop}" if part.spec.shop else ""
    if part.translation:
        return part.translation.export.title + shop
    is_mapped = source.settings_file and part.spec.is_mapped and part.is_explicit
    layout = source.settings_file if is_mapped else OWN_LAYOUT
    return "" if file.format == UNKNOWN else f"{source.name}/{part.spec.name} by {layout}{shop}"


def _moments(spec: TableSpec) -> str:
    """The column that says when a row was: the first that every row has, else the first."""
    days = [column for column in spec.columns if column.type in DAY_TYPES and column.stored]
    needed = [column for column in days if column.required]
    return next((column.name for column in (*needed, *days)), "")


def _day(value: date | datetime | None, zone: str) -> date | None:
    """The shop's day of a moment in UTC; a day stays what it is."""
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
