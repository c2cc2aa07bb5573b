"""`[sources.sql.NAME]`: a database, and in `tables` what is read of it, for which folder.

Belongs here: the keys, their shape, and what a table's mapping must name. Does not belong here:
asking a database anything (`tables.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import Field, model_validator

from ingestion.config import Section, SourceSettings, gathered
from ingestion.errors import UsageError
from ingestion.files.folder import InputFolder
from ingestion.files.list_mapping import ListMapping
from ingestion.files.source import FolderSource
from ingestion.landing.batch import PULLED
from ingestion.landing.fields import Column, TableSpec

NAME = "sql"
# It stands in `_file` beside each row.
ShortName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
LINE_ID = "line_id"


class Table(ListMapping):
    """One table or view, in the words of the folders' mapping files.

    Args:
        table: its name in the database, with the schema before it where it needs one.
        folder: the folder of docs/formats.md whose rows it holds.
        cursor: the date or time at which a row last changed; without it all is read each run.
        lateness_hours: how far before the newest row each run begins again.
        traits: further columns that are kept as stated traits, where the folder is about people.
    """

    table: Annotated[str, Field(min_length=1)]
    folder: str
    cursor: str = ""
    lateness_hours: Annotated[int, Field(ge=0)] = 72
    traits: tuple[str, ...] = ()

    @property
    def headers(self) -> tuple[str, ...]:
        """The database's columns that are read, each once."""
        cursor = (self.cursor,) if self.cursor else ()
        return tuple(dict.fromkeys((*self.columns.values(), *self.traits, *cursor)))


class Database(Section):
    """One database: the variable that holds its SQLAlchemy URL, and its tables by name."""

    enabled: bool = True
    url_env: Annotated[str, Field(min_length=1)]
    tables: Annotated[dict[ShortName, Table], Field(min_length=1)]


class SqlSettings(SourceSettings):
    """`[sources.sql]`, and in `databases` those of `[sources.sql.NAME]`."""

    databases: dict[ShortName, Database] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather_databases(cls, section: Any) -> Any:
        """Tables within the section are databases."""
        return gathered(section, "databases", cls.model_fields)

    def on(self) -> dict[str, Database]:
        """The databases that are read, by name."""
        if not self.enabled:
            return {}
        return {name: each for name, each in self.databases.items() if each.enabled}


def tables_of(
    settings: SqlSettings, folder: str = ""
) -> Iterator[tuple[str, str, Database, Table]]:
    """Name of the database, name of the table and both, for one folder or for all."""
    for name, database in settings.on().items():
        for key, table in database.tables.items():
            if folder in ("", table.folder):
                yield name, key, database, table


def place_of(database: str, table: str) -> str:
    """What stands as the file beside each row of a table."""
    return f"{PULLED}{database}/{table}"


def setting_of(database: str, table: str) -> str:
    """Where the settings speak of a table."""
    return f"sources.{NAME}.{database}.tables.{table}"


def check_tables(settings: SqlSettings, sources: Iterable[FolderSource]) -> None:
    """Whether each table feeds a folder that there is, and maps columns that it has.

    Raises:
        UsageError: names the setting, and says what to write.
    """
    feedable = {source.name: source for source in sources if can_feed(source)}
    for name, key, _, table in tables_of(settings):
        where = setting_of(name, key)
        source = feedable.get(table.folder)
        if source is None:
            raise UsageError(
                f"`{where}.folder` is {table.folder!r}, which no table can feed.",
                f"Write one of: {', '.join(sorted(feedable))}.",
            )
        _check_columns(where, table, spec_of(source, InputFolder.nowhere()))


def can_feed(source: FolderSource) -> bool:
    """Whether the rows of a folder are flat, and each stands for itself."""
    flat = all(not set(path) & {".", "$"} for c in source.tables[-1].columns for path in c.paths)
    return flat and not source.document_endings and not source.is_whole


def spec_of(source: FolderSource, folder: InputFolder) -> TableSpec:
    """The table of a folder that a database's table feeds, in our own layout."""
    return source.own_layout(folder, source.tables[-1].name)


def _check_columns(where: str, table: Table, spec: TableSpec) -> None:
    known = {header_of(column): column for column in spec.columns if column.stored}
    for part in ("columns", "constants", "clean", "formats", "words"):
        for column in getattr(table, part):
            if column not in known:
                raise UsageError(
                    f"`{where}.{part}.{column}` is no column of {table.folder}/.",
                    f"Write one of: {', '.join(sorted(known))}.",
                )
    declared = {*table.columns, *table.constants}
    needed = [header for header, column in known.items() if column.required]
    missing = [header for header in needed if header not in declared]
    if spec.line_key and LINE_ID not in table.columns:
        missing.append(LINE_ID)  # without it a line read again would be a second one
    if missing:
        raise UsageError(
            f"`{where}` does not say where {', '.join(missing)} stands.",
            "Name its column under `columns`, or what holds for every row under `constants`.",
        )
    if table.traits and not spec.attributes:
        raise UsageError(
            f"`{where}.traits` keeps columns as traits of a person, and {table.folder}/ is not "
            "about people.",
            "Take it out, or map the columns under `columns`.",
        )


def header_of(column: Column) -> str:
    """What a file in our own layout calls a column."""
    return column.paths[0] if column.paths else column.name
