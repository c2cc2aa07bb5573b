"""Everything held about one person, as one file: what the law calls a subject access request.

Belongs here: which rows are a person's, and the file. Does not belong here: a readable account of a
person (`explain`), or how long the file stays (`home.retention`).

A row is a person's when it names their id or an earlier one, or one of their own identifiers; a
pair of identifiers only when both are theirs. Values that several people share are nobody's, and so
are rows about a household, a product or the shop. Published tables and the operational store are
read; raw holds what these were made of, under the shop's own keys, and is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Table, select, tuple_

from ingestion.duckdb import dicts, name
from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from orchestration.home.layout import Home
from orchestration.home.whole_file import whole_file
from orchestration.ops import schema
from orchestration.ops.store import Store, from_micros, in_parts, open_store
from orchestration.published.reader import open_published
from orchestration.who.evidence import Node
from orchestration.who.explain import (
    NotFoundError,
    Reader,
    candidates_of,
    find_person,
    is_refused,
    split_kind,
    unreadable,
)

PUBLIC = ("marts", "segments", "activity")
# Copies of what the store itself is asked for below, one run behind it.
MIRRORED = ("activity.fct_deliveries", "activity.fct_held_back")
# Both ends of a pair have to be the person's.
PAIRS = (
    ("identifier_a_type", "identifier_a_value"),
    ("identifier_b_type", "identifier_b_value"),
)
UNPUBLISHED = "unpublished"  # in place of the id of somebody who is in no published run yet

Keys = Sequence[tuple[str, str]]
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class SubjectExport:
    """A file that was written: whose, where, and how many rows of each table."""

    customer_id: str
    path: Path
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Subject:
    """Whose rows are meant.

    `ids`: the id of today and those merged into it. `keys`: identifiers that are this person's
    alone, of `identifier_count` in all.
    """

    customer_id: str
    ids: tuple[str, ...]
    keys: Keys
    identifier_count: int


def find_subject(home: Home, who: str) -> Subject:
    """The person behind any identifier or id, as `explain` takes it.

    Whoever is in no published run yet is known by what the operational store holds of the
    identifier alone, such as a consent that was recorded by hand.

    Raises:
        NotFoundError: nobody is known by it, or the value is shared.
        AmbiguousError: several people are.
    """
    country = load_settings().shop.default_country
    with readable(home) as connection:
        reader = Reader(connection)
        try:
            return _subject(reader, find_person(reader, who, country)[0])
        except NotFoundError:
            candidates = candidates_of(*split_kind(who.strip()), country)
            if is_refused(reader, candidates):
                raise
            keys = _keys_in_store(home, candidates)
            if not keys:
                raise
            return Subject(UNPUBLISHED, (), keys, len(keys))


def export_subject(home: Home, subject: Subject, *, at: datetime) -> SubjectExport:
    """Write every row that is held about a person.

    Args:
        home: the shop's home.
        subject: the person.
        at: the moment of the request, naive UTC; it names the file.

    Raises:
        UsageError: the file cannot be written.
    """
    tables = rows_of(home, subject)
    home.subject_exports.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home.subject_exports / f"{subject.customer_id}-{at:%Y%m%dT%H%M%S}.json"
    about = {"customer_id": subject.customer_id, "made_at": at.isoformat(), "tables": tables}
    _write(path, about)
    return SubjectExport(
        subject.customer_id, path, {table: len(rows) for table, rows in tables.items()}
    )


def rows_of(home: Home, subject: Subject) -> dict[str, Rows]:
    """Every row that is held about the person, by table."""
    with readable(home) as connection:
        tables = _published_rows(connection, subject)
    with open_store(home) as store:
        return tables | _stored_rows(store, subject)


def count_rows(home: Home, subject: Subject) -> dict[str, int]:
    """How many rows of which table are the person's."""
    return {table: len(rows) for table, rows in rows_of(home, subject).items()}


def _keys_in_store(home: Home, candidates: Sequence[Node]) -> Keys:
    """Those of the identifiers of which the operational store holds anything."""
    keys: set[tuple[str, str]] = set()
    wanted = {(node.type, node.value) for node in candidates}
    with open_store(home) as store, store.read() as connection:
        for table in schema.metadata.sorted_tables:
            if "identifier_value" in table.c:
                pair = (table.c.identifier_type, table.c.identifier_value)
                query = select(*pair).where(tuple_(*pair).in_(wanted)).distinct()
                keys |= {(row[0], row[1]) for row in connection.execute(query)}
    return tuple(sorted(keys))


@contextmanager
def readable(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, or what to do where it cannot be read."""
    try:
        with open_published(home) as connection:
            yield connection
    except duckdb.Error as error:
        raise unreadable(home) from error


def _subject(reader: Reader, customer_id: str) -> Subject:
    aliases = reader.rows(
        "marts.customer_aliases",
        "select alias_id from marts.customer_aliases"
        f" where customer_id = '{customer_id}' order by all",
    )
    identifiers = reader.of_person("marts.bridge_customer_identifiers", customer_id)
    keys = [
        (row["identifier_type"], row["identifier_value"])
        for row in identifiers
        if not row["is_shared"]
    ]
    ids = (customer_id, *(row["alias_id"] for row in aliases))
    return Subject(customer_id, ids, tuple(sorted(keys)), len(identifiers))


def _published_rows(connection: duckdb.DuckDBPyConnection, subject: Subject) -> dict[str, Rows]:
    """The person's rows of every published table that has any."""
    connection.register("subject_ids", pa.table({"customer_id": list(subject.ids)}))
    kinds, values = zip(*subject.keys, strict=True) if subject.keys else ((), ())
    columns = {"kind": pa.array(kinds, pa.string()), "value": pa.array(values, pa.string())}
    connection.register("subject_keys", pa.table(columns))
    tables = connection.execute(
        "select table_schema, table_name, list(column_name) from information_schema.columns"
        " where list_contains($1, table_schema) group by all order by all",
        [list(PUBLIC)],
    ).fetchall()
    rows_of_table = {}
    for space, table, names in tables:
        condition = _whose(names)
        if condition and f"{space}.{table}" not in MIRRORED:
            rows = dicts(
                connection.execute(
                    f"select * from {name(space, table)} where {condition} order by all"
                )
            )
            if rows:
                rows_of_table[f"{space}.{table}"] = rows
    return rows_of_table


def _whose(columns: Sequence[str]) -> str:
    """Which rows of a table with these columns are the person's; empty where none can be."""
    keys = "select kind, value from subject_keys"
    if "customer_id" in columns:
        return "customer_id in (select customer_id from subject_ids)"
    if all(column in columns for pair in PAIRS for column in pair):
        return " and ".join(f"({', '.join(pair)}) in ({keys})" for pair in PAIRS)
    if {"identifier_type", "identifier_value"} <= set(columns):
        return f"(identifier_type, identifier_value) in ({keys})"
    return ""


def _stored_rows(store: Store, subject: Subject) -> dict[str, Rows]:
    """The person's rows of the operational store, as of now."""
    tables = {}
    for table in schema.metadata.sorted_tables:
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        with store.read() as connection:
            for condition in _conditions(table, subject):
                query = select(table).where(condition).order_by(*table.primary_key)
                for row in connection.execute(query).mappings():
                    key = tuple(row[column.name] for column in table.primary_key)
                    rows[key] = _in_words(table, row)
        if rows:
            tables[f"ops.{table.name}"] = [rows[key] for key in sorted(rows, key=str)]
    return tables


def _conditions(table: Table, subject: Subject) -> Iterable[Any]:
    if "identifier_value" in table.c:
        pair = tuple_(table.c.identifier_type, table.c.identifier_value)
        yield from (pair.in_(some) for some in in_parts(subject.keys))
    elif "customer_id" in table.c:
        yield table.c.customer_id.in_(subject.ids)


def _in_words(table: Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of the store with its times as such."""
    return {
        column.name: from_micros(row[column.name])
        if column.info.get(schema.IS_TIME) and row[column.name] is not None
        else row[column.name]
        for column in table.columns
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1, default=_plain)
    try:
        with whole_file(path) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}).", "Make room in the home, or mend it."
        ) from error


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
