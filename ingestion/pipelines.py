"""Running the sources: one dlt pipeline and one schema `raw_<source>` each.

`begin(...)` prepares a run of one source, dlt loads it (by `run_source` here, or by Dagster), and
`finish()` checks that no row was lost, writes the file ledger and removes dlt's working files,
which hold personal data. A source without anything new costs no dlt run at all.

A run that was killed leaves nothing to repair: dlt's working folder is thrown away and restored
from the raw store, unread files are read again, and rows that had already arrived are duplicates.

Belongs here: the life of one run. Does not belong here: which sources there are (registry.py),
Dagster, reading.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
# What fails is raised too; dlt's log would only add tracebacks, which may quote rows.
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")
os.environ.setdefault("LOAD__RAISE_ON_MAX_RETRIES", "2")
os.environ.setdefault("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
os.environ.setdefault("LOAD__DELETE_COMPLETED_JOBS", "true")
os.environ.setdefault("LOAD__TRUNCATE_STAGING_DATASET", "true")

import dlt
import duckdb
import yaml
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from ingestion.apis.source import ApiSource
from ingestion.config import Settings
from ingestion.duckdb import connect
from ingestion.errors import (
    MemoryLimitError,
    RegularsError,
    SourceError,
    tells_of_a_full_disk,
    tells_of_too_little_memory,
)
from ingestion.files.folder import InputFile, InputFolder, shop_in
from ingestion.files.ledger import (
    DECLARATION,
    SETTINGS,
    Entry,
    export_path,
    forget_files,
    keep_only,
    read_ledger,
    unread,
    write_ledger,
)
from ingestion.files.recognised.export import Export
from ingestion.files.source import FolderReading, FolderSource, declared_source
from ingestion.landing.counts import TableCounts
from ingestion.landing.intake import Intake
from ingestion.landing.raw_tables import (
    forget_a_stop,
    keep_of_a_stop,
    table_sizes,
    widen_prices,
)
from ingestion.memory import BATCH_MEMORY, memory_limit
from ingestion.registry import SOURCES, Source, databases
from ingestion.sources.sql.settings import tables_of
from ingestion.sources.sql.tables import inputs as database_inputs


@dataclass(frozen=True)
class RunContext:
    """What all sources of one run share.

    Args:
        raw_path: the raw store.
        dlt_dir: dlt's working folder.
        run_id: the run.
        as_of: the run's time, UTC without zone.
        settings: the shop's settings.
        folder: the input folder; None where only APIs are read.
    """

    raw_path: Path
    dlt_dir: Path
    run_id: str
    as_of: datetime
    settings: Settings
    folder: InputFolder | None = None


class _RawStore(dlt.destinations.duckdb):  # type: ignore[misc]  # dlt is not typed here
    """DuckDB, without resolving its configuration each time that dlt asks what DuckDB can do.

    That depends on no setting, and dlt asks twelve times a load: an eighth of a small one's time.
    """

    @property
    def destination_type(self) -> str:
        """What dlt notes as the kind of the raw store: DuckDB, as before."""
        return "dlt.destinations.duckdb"

    def capabilities(self, config: Any = None, naming: Any = None) -> Any:
        """What DuckDB can do, under a naming convention."""
        return super().capabilities(config or self.spec(), naming)


def pipeline_for(source_name: str, dlt_dir: Path, raw_path: Path) -> Any:
    """The dlt pipeline of a source: dataset `raw_<source>`, working files below `dlt_dir`."""
    # As `connect` does for the sessions that are ours
    settings = {"memory_limit": memory_limit(BATCH_MEMORY)}
    credentials = DuckDbCredentials(str(raw_path), global_config=settings)
    return dlt.pipeline(
        source_name,
        destination=_RawStore(credentials),
        dataset_name=f"raw_{source_name}",
        pipelines_dir=str(dlt_dir),
        progress=None,
    )


def declared(source_name: str) -> Any:
    """The dlt source without input, for listing assets; loading it changes nothing."""
    return declared_source(SOURCES[source_name].name, SOURCES[source_name].tables)


@dataclass
class SourceRun:
    """One run of one source. Use as a context manager:

    with begin(name, context) as run:
        if run.has_work:
            run.load()  # or let Dagster load run.dlt_source with run.pipeline
        counts = run.finish()
    """

    source: Source
    context: RunContext
    intake: Intake
    dlt_source: Any
    has_work: bool
    marks: dict[str, str] = field(default_factory=dict)
    files: list[InputFile] = field(default_factory=list)
    reading: FolderReading | None = None
    says_all: bool = False

    @property
    def pipeline(self) -> Any:
        """The dlt pipeline to load `dlt_source` with."""
        return pipeline_for(self.source.name, self.context.dlt_dir, self.context.raw_path)

    def __enter__(self) -> SourceRun:
        """Nothing more to prepare."""
        return self

    def load(self) -> None:
        """Run dlt: extract, normalise, load."""
        load_source(self.pipeline, self.dlt_source)

    def finish(self) -> list[TableCounts]:
        """Check that rows add up and note the files as read.

        Raises:
            SourceError: rows were lost or doubled.
        """
        if not self.has_work:
            return [TableCounts(self.source.name, t.name, 0, 0, 0, 0) for t in self.source.tables]
        counts = self.intake.settle()
        if self.reading:
            if self.says_all and self.reading.is_sound():
                # Before the ledger: a run killed in between reads the file again.
                counts = [self._without_withdrawn(count) for count in counts]
            entries = self._entries(self.reading)
            write_ledger(self.context.raw_path, self.source.name, entries, self.context.run_id)
        forget_a_stop(self.context.raw_path, self.source.name)
        return counts

    def _without_withdrawn(self, count: TableCounts) -> TableCounts:
        """Drop the rows that the source no longer says, and count them."""
        ids = self.intake.good_ids()
        dropped = keep_only(self.context.raw_path, count.source, count.table, ids)
        return replace(count, withdrawn=dropped)

    def _entries(self, reading: FolderReading) -> list[Entry]:
        rows: dict[str, int] = {}
        broken: dict[str, str] = {}
        for reader in reading.readers:
            rows |= reader.rows
            broken |= reader.broken
        entries = [
            Entry(file.path, file.fingerprint, rows.get(file.path, 0), broken.get(file.path, ""))
            for file in self.files
        ]
        return [*entries, *(Entry(path, mark, 0, "") for path, mark in self.marks.items() if mark)]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget scratch data and working files; say in one sentence what went wrong."""
        self.intake.close()
        forget_working_files(self.source.name, self.context.dlt_dir)
        if isinstance(error, Exception) and self.intake.put_aside:
            # Why the source stopped is to be said, whether or not the rows can be kept.
            with suppress(duckdb.Error):
                keep_of_a_stop(self.context.raw_path, self.source.name, self.intake.put_aside)
        if isinstance(error, Exception) and not isinstance(error, RegularsError):
            raise readable_error(self.source.name, error) from shown(error)


def begin(name: str, context: RunContext) -> SourceRun:
    """Prepare a run of the source `name`; what a killed run left in dlt's folder is dropped.

    Raises:
        RegularsError: the raw store cannot be opened or the mapping cannot be understood.
    """
    source = SOURCES[name]
    try:
        forget_working_files(name, context.dlt_dir)
        keep_private(context.raw_path)
        if isinstance(source, FolderSource):
            return _begin_folder(source, context)
        intake = _intake(source, context)
        dlt_source = source.dlt_source(intake, context.settings, context.as_of)
        return SourceRun(source, context, intake, dlt_source, has_work=True)
    except RegularsError:
        raise
    except Exception as error:
        raise readable_error(name, error) from shown(error)


def _begin_folder(source: FolderSource, context: RunContext) -> SourceRun:
    folder = context.folder or InputFolder.nowhere()
    files = source.files(folder)
    exports = source.exports(folder, files)
    marks = {
        DECLARATION: _mark(repr(source.tables)),
        SETTINGS: _settings_mark(source, folder),
        **{export_path(e.name): _mark(e.mark) for e in exports.values()},
    }
    widen_prices(context.raw_path, source.name, source.tables)
    if source.document_endings:
        _forget_gone(source, context, files)
    ledger = _ledger_for(source, context, files, marks, exports)
    is_new = _differs(ledger, DECLARATION, marks)
    fresh = unread(files, ledger, is_new or _differs(ledger, SETTINGS, marks))
    shop = context.settings.shop
    pulled = database_inputs(
        source, replace(folder, zone=shop.timezone), databases(context.settings), context.as_of
    )
    if not (fresh or is_new or pulled):
        intake = _intake(source, context)
        return SourceRun(source, context, intake, declared(source.name), has_work=False)
    was_read = any(not entry.problem for path, entry in ledger.items() if not path.startswith("<"))
    inputs = [*source.route(folder, fresh, was_read), *pulled]
    intake = _intake(source, context, len(inputs))
    reading = FolderReading(source.name, folder, inputs, intake)
    dlt_source = reading.dlt_source()
    says_all = source.is_whole and bool(fresh) and fresh == files
    return SourceRun(source, context, intake, dlt_source, True, marks, fresh, reading, says_all)


def _intake(source: Source, context: RunContext, parts: int = 0) -> Intake:
    limits = context.settings.quarantine
    return Intake(
        source.name,
        context.raw_path,
        context.run_id,
        limits,
        parts or len(source.tables),
        keeps_ids=isinstance(source, FolderSource) and source.is_whole,
        whole_files=isinstance(source, FolderSource),
    )


def _forget_gone(source: FolderSource, context: RunContext, files: list[InputFile]) -> None:
    """Drop the rows of documents that were taken away; a folder without any file says nothing."""
    there = {file.path for file in files}
    known = read_ledger(context.raw_path, source.name)
    gone = [path for path in known if path not in there and not path.startswith("<")]
    if files and gone:
        forget_files(context.raw_path, source.name, source.tables[0].name, gone)


def _ledger_for(
    source: FolderSource,
    context: RunContext,
    files: list[InputFile],
    marks: dict[str, str],
    exports: dict[str, Export],
) -> dict[str, Entry]:
    """The ledger without the files to be read again: under a changed mapping, or by a version
    that makes other keys or columns of them, or takes them for another export or shop."""
    ledger = read_ledger(context.raw_path, source.name)
    retaken = [
        path
        for path, export in exports.items()
        if path in ledger and _differs(ledger, export_path(export.name), marks)
    ]
    retaken += [
        file.path
        for file in files
        if file.path in ledger and shop_in(ledger[file.path].fingerprint) != file.shop
    ]
    if retaken:
        for table in source.tables:
            forget_files(context.raw_path, source.name, table.name, retaken)
        ledger = read_ledger(context.raw_path, source.name)
    remapped = bool(marks[SETTINGS]) and SETTINGS in ledger and _differs(ledger, SETTINGS, marks)
    is_as_before = bool(marks[SETTINGS]) == (SETTINGS in ledger)
    redeclared = is_as_before and DECLARATION in ledger and _differs(ledger, DECLARATION, marks)
    lines = [file.path for file in files if file.format != "json" and file.path in ledger]
    if not (source.mapped and lines and (remapped or redeclared)):
        return ledger
    forget_files(context.raw_path, source.name, source.tables[-1].name, lines)
    return read_ledger(context.raw_path, source.name)


def _differs(ledger: dict[str, Entry], path: str, marks: dict[str, str]) -> bool:
    known = ledger.get(path)
    return (known.fingerprint if known else "") != marks[path]


def _settings_mark(source: FolderSource, folder: InputFolder) -> str:
    """A mark of what the mapping says, whatever its comments and spaces; empty without one."""
    text = folder.text(source.settings_file) if source.settings_file else None
    if text is None:
        return ""
    try:
        return _mark(json.dumps(yaml.safe_load(text), sort_keys=True, default=str))
    except (yaml.YAMLError, RecursionError):
        return _mark(text)


def _mark(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def load_source(pipeline: Any, dlt_source: Any) -> None:
    """Run dlt: extract, normalise, load."""
    pipeline.run(dlt_source, loader_file_format="parquet")


def run_source(name: str, context: RunContext) -> list[TableCounts]:
    """Run one source from its files or API into the raw store; what it did, per table.

    Raises:
        RegularsError: with one sentence for people; the raw store stays usable.
    """
    with begin(name, context) as run:
        if run.has_work:
            run.load()
        return run.finish()


def reads_anything(name: str, context: RunContext) -> bool:
    """Whether this run finds anything of the source: an API, a file of it or a database's table.

    One that is switched off, or of which nothing lies in the input, tells nothing. Nor does what
    senders pushed into the inbox: what they pushed while nobody listened does not come again.
    """
    source = SOURCES[name]
    if not source.own(context.settings).is_on:
        return False
    if isinstance(source, ApiSource):
        return True
    folder = replace(context.folder or InputFolder.nowhere(), inbox="")
    return bool(source.files(folder)) or any(tables_of(databases(context.settings), name))


def declare_source(name: str, context: RunContext) -> None:
    """Make the tables of a source that is switched off, so that models find them empty."""
    keep_private(context.raw_path)
    known = table_sizes(context.raw_path, name)
    if all(table.name in known for table in SOURCES[name].tables):
        return
    forget_working_files(name, context.dlt_dir)
    try:
        load_source(pipeline_for(name, context.dlt_dir, context.raw_path), declared(name))
    finally:
        forget_working_files(name, context.dlt_dir)


def forget_working_files(source_name: str, dlt_dir: Path) -> None:
    """Remove dlt's copy of what it loaded: raw rows, so personal data (RELIABILITY X9)."""
    shutil.rmtree(dlt_dir / source_name, ignore_errors=True)


def keep_private(raw_path: Path) -> None:
    """The raw store exists and only its owner may read it: it holds what people told the shop."""
    raw_path.parent.mkdir(parents=True, exist_ok=True)
    if not raw_path.exists():
        # Made aside and moved, so that a kill or a full disk leaves no half-made store behind.
        half_made = raw_path.with_suffix(".new")
        half_made.unlink(missing_ok=True)
        connect(half_made).close()
        half_made.replace(raw_path)
    raw_path.chmod(0o600)


def readable_error(source_name: str, error: BaseException) -> RegularsError:
    """The sentence inside dlt's wrapping, or one that names only the kind of failure."""
    cause: BaseException | None = error
    kinds = []
    while cause is not None:
        if isinstance(cause, RegularsError):
            return cause
        if tells_of_a_full_disk(str(cause)):
            return SourceError(
                f"{source_name}: the disk is full.", "Make room and run again; nothing is lost."
            )
        if tells_of_too_little_memory(str(cause)):
            return SourceError(
                f"{source_name}: there is not enough memory.", MemoryLimitError().hint
            )
        if "Could not set lock on file" in str(cause):
            return SourceError(
                f"{source_name}: another program holds the raw store open.",
                "Close it and run again; nothing else may open this file.",
            )
        if "not a valid DuckDB database" in str(cause):
            return SourceError(
                f"{source_name}: the raw store is damaged and cannot be opened.",
                "Restore it from a backup, or move it away to read every file again.",
            )
        kinds.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return SourceError(
        f"{source_name}: loading failed ({kinds[-1]}).",
        "Run again; if it stays, set REGULARS_TRACEBACK=1 to see where (it may quote rows).",
    )


def shown(error: Exception) -> Exception | None:
    """The cause to chain: none unless asked for, because an engine's message may quote a row."""
    return error if os.environ.get("REGULARS_TRACEBACK") else None
