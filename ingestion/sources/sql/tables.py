"""Reading a database's tables: finding columns, rows as text, how far it has come.

What goes wrong is told by names of settings, tables and columns and by the kind of the error alone:
a driver's own words carry the URL, the query and values.

Belongs here: what is asked of a database. Does not belong here: the settings (`settings.py`), what
becomes of rows (`landing/`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError
from sqlalchemy.types import NullType

from ingestion.apis.connection import Check
from ingestion.apis.paging import Cursor
from ingestion.errors import RegularsError, SourceError, UsageError
from ingestion.files.folder import InputFolder
from ingestion.files.list_mapping import as_export
from ingestion.files.recognised.export import Translation
from ingestion.files.source import FolderSource, TableInput
from ingestion.landing.batch import RawBatch
from ingestion.sources.sql.engine import no_driver, open_engine
from ingestion.sources.sql.settings import (
    NAME,
    Database,
    SqlSettings,
    Table,
    place_of,
    setting_of,
    spec_of,
    tables_of,
)

PAGE_ROWS = 50_000
FIRST_DAY = "1990-01-01"
SHOWN_COLUMNS = 30


@dataclass(frozen=True)
class StoredTable:
    """A table as it stands in the database.

    Args:
        engine: the database.
        schema: its schema; None for the usual one.
        name: its name.
        columns: the types of its columns, by name.
        key: the columns of its primary key; none where it has none, as a view.
    """

    engine: sa.Engine
    schema: str | None
    name: str
    columns: dict[str, sa.types.TypeEngine[Any]]
    key: tuple[str, ...]


def inputs(
    source: FolderSource, folder: InputFolder, settings: SqlSettings, as_of: datetime
) -> list[TableInput]:
    """What the databases say to a folder's table."""
    return [
        _input(source, folder, (name, key), database, table, as_of)
        for name, key, database, table in tables_of(settings, source.name)
    ]


def _input(
    source: FolderSource,
    folder: InputFolder,
    names: tuple[str, str],
    database: Database,
    table: Table,
    as_of: datetime,
) -> TableInput:
    spec = spec_of(source, folder)
    location, where = place_of(*names), setting_of(*names)
    unmapped = {table.cursor} - {"", *table.columns.values(), *table.traits}
    export = as_export(spec, f"[{where}]", table, source.name, tuple(unmapped))
    translation = Translation(export, export.feeds[0], table.timezone or "UTC")
    columns: dict[str, bool] = dict.fromkeys(table.headers, True)

    def pull(state: dict[str, Any], limit: int = 0) -> Iterator[RawBatch]:
        cursor = _cursor(state.setdefault(location, {}), table, as_of)
        with _opened_table(where, database, table) as lookup:
            columns.update({each: each in table.headers for each in lookup.columns})
            pages = _pages(lookup, table, cursor, limit)
            yield from translation.batches(_batches(pages, location, table))
        cursor.save()

    return TableInput(
        spec,
        [],
        lambda *_: None,
        translation=translation,
        pull=pull,
        location=location,
        columns=columns,
    )


def check(settings: SqlSettings) -> list[Check]:
    """Whether each database answers and each table has what its mapping names."""
    checks = []
    for name, key, database, table in tables_of(settings):
        called = f"{NAME} {name}/{key}"
        try:
            with _opened_table(setting_of(name, key), database, table) as there:
                count = len(there.columns)
        except RegularsError as error:
            checks.append(Check(called, "failed", error.message, error.hint))
        else:
            sentence = f"{len(table.headers)} of its {count} columns are read."
            checks.append(Check(called, "ok", sentence))
    return checks


def _cursor(state: dict[str, Any], table: Table, as_of: datetime) -> Cursor:
    """How far the table was read; from the beginning where its mapping is another now."""
    described = json.dumps(table.model_dump(mode="json"), sort_keys=True)
    return Cursor(state, FIRST_DAY, table.lateness_hours, as_of, asked=described)


@contextmanager
def _opened_table(where: str, database: Database, table: Table) -> Iterator[StoredTable]:
    """The table, once it is sure that it has the columns that the settings name.

    Raises:
        UsageError: the settings name what is not there.
        SourceError: the database does not answer.
    """
    engine = open_engine(where.rpartition(".tables.")[0], database.url_env)
    try:
        lookup = _looked_up(engine, table)
        _check_there(lookup, where, table)
        yield lookup
    except NoSuchTableError:
        raise UsageError(
            f"`{where}.table` is {table.table!r}, which the database does not have.",
            "Write the name of a table or view, with its schema before it: schema.table.",
        ) from None
    except ImportError as error:
        raise no_driver(where, error.name or "") from None
    except (SQLAlchemyError, OSError) as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        raise SourceError(
            f"The database of {database.url_env} did not answer for `{where}` ({kind}).",
            "Check that it is up, and the address, user and password in that variable.",
        ) from None
    finally:
        engine.dispose()


def _looked_up(engine: sa.Engine, table: Table) -> StoredTable:
    schema, _, name = table.table.rpartition(".")
    inspector = sa.inspect(engine)
    columns = {
        str(column["name"]): column["type"]
        for column in inspector.get_columns(name, schema=schema or None)
    }
    key = inspector.get_pk_constraint(name, schema=schema or None).get("constrained_columns")
    return StoredTable(engine, schema or None, name, columns, tuple(key or ()))


def _check_there(lookup: StoredTable, where: str, table: Table) -> None:
    named = [(f"columns.{ours}", theirs) for ours, theirs in table.columns.items()]
    named += [("traits", header) for header in table.traits]
    named += [("cursor", table.cursor)] if table.cursor else []
    for key, header in named:
        if header not in lookup.columns:
            more = len(lookup.columns) - SHOWN_COLUMNS
            shown = ", ".join(list(lookup.columns)[:SHOWN_COLUMNS])
            raise UsageError(
                f"`{where}.{key}` names the column {header!r}, which {table.table} does not have.",
                f"It has: {shown}" + (f" and {more:,} more." if more > 0 else "."),
            )
    kind = lookup.columns[table.cursor] if table.cursor else None
    if kind is not None and not isinstance(kind, sa.Date | sa.DateTime):
        raise UsageError(
            f"`{where}.cursor` names {table.cursor!r}, which is {kind} and no date or time.",
            "Name the column that says when a row last changed, or take the key out to read the "
            "whole table each run.",
        )


def _pages(
    lookup: StoredTable, table: Table, cursor: Cursor, limit: int
) -> Iterator[list[dict[str, Any]]]:
    """The rows, a page at a time; the cursor sees each of them."""
    from dlt.sources.sql_database import TableLoader

    zone = ZoneInfo(table.timezone or "UTC")
    # Values as the driver gives them, whatever the column says: one odd date must not end the query
    columns = [sa.Column(header, NullType()) for header in table.headers]
    loader = TableLoader(
        lookup.engine,
        "sqlalchemy",
        sa.Table(lookup.name, sa.MetaData(), *columns, schema=lookup.schema),
        {},
        PAGE_ROWS,
        query_adapter_callback=lambda query, there: _narrowed(
            query, there, lookup, table, cursor, zone, limit
        ),
    )
    for page in loader.load_rows():
        if table.cursor:
            for row in page:
                cursor.saw(_moment(row[table.cursor], zone))
        yield page


def _narrowed(
    query: Any,
    there: sa.Table,
    lookup: StoredTable,
    table: Table,
    cursor: Cursor,
    zone: ZoneInfo,
    limit: int,
) -> Any:
    """The query for what is new, in one order whenever it is asked."""
    order: list[Any] = [there.c.get(header, sa.column(header)) for header in lookup.key] or list(
        there.c
    )
    if table.cursor:
        moved = there.c[table.cursor]
        if not cursor.is_first:
            query = query.where(sa.or_(_since(moved, lookup, cursor, zone, table), moved.is_(None)))
        order.insert(0, moved)
    query = query.order_by(*order)
    return query.limit(limit) if limit else query


def _since(moved: Any, lookup: StoredTable, cursor: Cursor, zone: ZoneInfo, table: Table) -> Any:
    """From the beginning of a day on: how a time of the day is written differs too much."""
    since = cursor.since.replace(tzinfo=UTC).astimezone(zone)
    day = since.date()
    kind = lookup.columns[table.cursor]
    if lookup.engine.dialect.name == "sqlite":  # which keeps times as text
        return sa.type_coerce(moved, sa.String()) >= day.isoformat()
    if not isinstance(kind, sa.DateTime):
        return sa.type_coerce(moved, sa.Date()) >= day
    begins = datetime.combine(day, time.min)
    begins = begins.replace(tzinfo=zone) if kind.timezone else begins
    return sa.type_coerce(moved, kind) >= begins


def _moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """A cursor's value as UTC without zone, None where it is none."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time.min)
    moment = value if isinstance(value, datetime) else _read(value)
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return aware.astimezone(UTC).replace(tzinfo=None)


def _read(value: Any) -> datetime | None:
    """A time that is written as text, with its zone where it has one."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _batches(
    pages: Iterator[list[dict[str, Any]]], location: str, table: Table
) -> Iterator[RawBatch]:
    """Rows as text under the database's headers; the position in the pull stands as line."""
    line = 1
    for page in pages:
        columns: dict[str, Any] = {
            "_file": [location] * len(page),
            "_line": pa.array(range(line, line + len(page)), pa.int64()),
        }
        for index, header in enumerate(table.headers):
            values = [row[header] for row in page]
            columns[f"c{index}"] = pa.array([as_text(value) for value in values], pa.string())
        line += len(page)
        yield RawBatch(pa.table(columns), table.headers)


def as_text(value: Any) -> str:
    """A driver's value as a file would say it; nothing for NULL."""
    if value is None:
        return ""
    form = next((form for kinds, form in _FORMS if isinstance(value, kinds)), str)
    return form(value)


def _number(value: float) -> str:
    """All digits: 1e+16 is how a computer writes a number."""
    return format(Decimal(repr(value)), "f")


# The first that a value is one of says how it is written: a bool is an int too.
_FORMS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (bool, lambda value: str(value).lower()),
    (float, _number),
    (Decimal, lambda value: format(value, "f")),
    (date, lambda value: str(value.isoformat())),
    (timedelta, lambda value: str(value.total_seconds())),
    ((bytes, bytearray, memoryview), lambda value: bytes(value).decode("utf-8", "replace")),
    ((dict, list, tuple), lambda value: json.dumps(value, ensure_ascii=False, default=str)),
)
