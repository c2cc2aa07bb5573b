"""Folder sources: from a declaration and the input folder to one dlt resource per table.

Belongs here: which files feed which table, header checks, the dlt source built from them. Does
not belong here: any one source's columns (`sources/`), running dlt (`pipelines.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from ingestion.config import Settings, SourceSettings
from ingestion.files.folder import BrokenFileError, InputFile, InputFolder
from ingestion.files.reader import Reader
from ingestion.files.recognised.export import Export, Translation
from ingestion.files.recognised.registry import export_of
from ingestion.files.survey import Survey
from ingestion.landing.batch import RawBatch
from ingestion.landing.fields import TableSpec
from ingestion.landing.intake import Intake
from ingestion.landing.json_keys import declared_keys
from ingestion.landing.judging import column_indexes
from ingestion.landing.raw_tables import empty_tables, table_resource

HeaderCheck = Callable[[InputFile, tuple[str, ...]], None]


@dataclass(frozen=True)
class TableInput:
    """One table and the files that feed it.

    Args:
        spec: the table's declaration.
        files: what to read for it.
        check_header: refuses a CSV or Parquet file by its header.
        survey: looks at each CSV or Parquet file as a whole; the plain one unless said otherwise.
        read_document: makes the row of a file that is one document.
        after_reading: called when every file was read; may raise for what only then is known.
        translation: what makes rows of the table of the files' rows, where they are an export.
        is_explicit: whether a mapping that lies there says what the columns are.
        pull: of rows that lie in no file, what yields them, given what the last load left and at
            most so many (0 is all).
        location: what stands as the file of such rows.
        columns: filled by `pull`: the columns that are there, and whether each is read.
    """

    spec: TableSpec
    files: list[InputFile]
    check_header: HeaderCheck
    after_reading: Callable[[Reader], None] = lambda _: None
    survey: Survey | None = None
    translation: Translation | None = None
    is_explicit: bool = False
    read_document: Callable[[str], dict[str, Any]] | None = None
    pull: Callable[[dict[str, Any], int], Iterator[RawBatch]] | None = None
    location: str = ""
    columns: dict[str, bool] = field(default_factory=dict)

    def reader(self, folder: InputFolder) -> Reader:
        """What reads the files."""
        return Reader(
            folder,
            self.check_header,
            keeps_refused=self.spec.may_refuse,
            survey=self.survey or Survey(self.spec),
            envelopes=self.spec.envelopes,
            document_keys=self.spec.document_keys,
            translation=self.translation,
            read_document=self.read_document,
            declared_keys=declared_keys(self.spec) if self.spec.may_refuse else {},
        )


Router = Callable[[InputFolder, list[InputFile], bool], list[TableInput]]


@dataclass(frozen=True)
class FolderSource:
    """A source whose rows lie in files.

    Args:
        name: the source's name; its tables live in schema `raw_<name>`.
        description: what it is, for people.
        tables: its tables as declared without any input.
        location: folder or file below the input folder; the name unless said otherwise.
        router: says which files feed which table where one folder has several; given the folder,
            the files to read and whether files were ever read before.
        settings_file: a file whose content belongs to the declaration, such as a mapping.
        mapped: the one table that such a file declares; None where there is no such file.
        plain: a table as files in our own layout are read, which recognised exports become; the
            declared one unless the input folder matters.
        document_endings: endings of its files where each is one document of our own making; a file
            that is taken away takes its row along, as long as another is there.
        read_document: makes the row of such a file, or raises `BrokenFileError`.
        is_whole: its one file says everything there is: a line that is taken out of it is no
            longer true. An absent file says nothing, a damaged one ends nothing.
        settings: the class of its section in the settings.
    """

    name: str
    description: str
    tables: tuple[TableSpec, ...]
    location: str = ""
    router: Router | None = None
    settings_file: str = ""
    mapped: Callable[[InputFolder], TableSpec | None] | None = None
    plain: Callable[[InputFolder, str], TableSpec] | None = None
    is_whole: bool = False
    document_endings: tuple[str, ...] = ()
    read_document: Callable[[str], dict[str, Any]] | None = None
    settings: type[SourceSettings] = SourceSettings

    def own(self, settings: Settings) -> SourceSettings:
        """The source's section of the shop's settings."""
        return settings.section(self.name, self.settings)

    def files(self, folder: InputFolder) -> list[InputFile]:
        """All readable files of this source: its own, and exports that feed it, wherever."""
        if self.document_endings:
            return folder.files(self.location or self.name, self.document_endings)
        has_texts = any(table.may_refuse for table in self.tables)
        own = {
            file.path: file
            for file in folder.files(self.location or self.name, has_texts=has_texts)
        }
        listed = {file.path: file for file in folder.everything} | own
        return [
            file
            for path, file in sorted(listed.items())
            if (export.to(self.name) if (export := export_of(folder, file)) else path in own)
        ]

    def exports(self, folder: InputFolder, files: list[InputFile]) -> dict[str, Export]:
        """Those of the files that are exports of a system, by path."""
        exports = ((file.path, export_of(folder, file)) for file in files)
        return {path: export for path, export in exports if export}

    def route(
        self, folder: InputFolder, files: list[InputFile], was_read_before: bool
    ) -> list[TableInput]:
        """Which files feed which table, those of a further shop apart from the others'."""
        further = sorted({file.shop for file in files} - {""})
        return [
            replace(part, spec=replace(part.spec, shop=shop)) if shop else part
            for shop in ("", *further)
            for part in self._route_of(
                replace(folder, shop=shop) if shop else folder,
                [file for file in files if file.shop == shop],
                was_read_before,
            )
        ]

    def _route_of(
        self, folder: InputFolder, files: list[InputFile], was_read_before: bool
    ) -> list[TableInput]:
        exports = self.exports(folder, files)
        own = [file for file in files if file.path not in exports]
        if self.router:
            inputs = self.router(folder, own, was_read_before)
        else:
            spec = self.tables[0]
            inputs = [TableInput(spec, own, header_check(spec), read_document=self.read_document)]
        return inputs + self._translated(folder, files, exports)

    def _translated(
        self, folder: InputFolder, files: list[InputFile], exports: dict[str, Export]
    ) -> list[TableInput]:
        inputs = []
        for export in {export.name: export for export in exports.values()}.values():
            chosen = [file for file in files if exports.get(file.path) is export]
            for feed in export.to(self.name):
                spec = self.own_layout(folder, feed.table)
                translation = Translation(export, feed, folder.zone)
                inputs.append(TableInput(spec, chosen, lambda *_: None, translation=translation))
        return inputs

    def own_layout(self, folder: InputFolder, table: str) -> TableSpec:
        """A table as rows in our own layout are read."""
        if self.plain:
            return self.plain(folder, table)
        return next(spec for spec in self.tables if spec.name == table)


@dataclass
class FolderReading:
    """One run's reading of a folder source, and its dlt source."""

    name: str
    folder: InputFolder
    inputs: list[TableInput]
    intake: Intake
    readers: list[Reader] = field(default_factory=list)

    def dlt_source(self) -> Any:
        """The dlt source: one resource per table, merged on `_row_id`."""
        import dlt

        by_table: dict[str, list[TableInput]] = {}
        for table in self.inputs:
            by_table.setdefault(table.spec.name, []).append(table)
        resources = [
            table_resource(inputs[0].spec, chain.from_iterable(map(self._rows, inputs)))
            for inputs in by_table.values()
        ]
        return dlt.source(lambda: resources, name=self.name)()

    def is_sound(self) -> bool:
        """Whether every file had its header and not one bad line."""
        headed = set[str]().union(*(reader.headed for reader in self.readers))
        read = {file.path for table in self.inputs for file in table.files}
        return read <= headed and not self.intake.bad_ids()

    def _rows(self, table: TableInput) -> Iterator[Any]:
        import dlt

        spec = table.spec
        reader = table.reader(self.folder)
        self.readers.append(reader)

        def batches() -> Iterator[RawBatch]:
            if table.pull:
                yield from table.pull(dlt.current.resource_state(spec.name), 0)
            yield from reader.batches(table.files)
            table.after_reading(reader)  # what it says is plainer than that rows are bad

        yield from self.intake.admit(spec, batches(), reader.rejects)
        self.intake.tallies[spec.name].recoded += reader.recoded.total()


def declared_source(name: str, tables: tuple[TableSpec, ...]) -> Any:
    """The dlt source without input: loading it makes its tables, empty."""
    import dlt

    resources = [table_resource(spec, empty_tables(spec)) for spec in tables]
    return dlt.source(lambda: resources, name=name)()


def header_check(spec: TableSpec) -> HeaderCheck:
    """Refuse a file whose header lacks an expected column."""

    def check(_: InputFile, header: tuple[str, ...]) -> None:
        for column in spec.columns:
            if column.expected and not column_indexes(spec, column, header):
                shown = ", ".join(header[:30])
                raise BrokenFileError("missing_column", f"{column.name}; present: {shown}")

    return check
