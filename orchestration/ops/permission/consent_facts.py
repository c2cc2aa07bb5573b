"""Permission facts out of the sources, appended to the operational store after each ingest.

Belongs here: reading new raw rows and held ones, giving each fact the id that makes it the same
fact for ever, and appending. Does not belong here: what a source's words mean (`fact_queries`,
`meanings`), whose they are (`readings`), or any decision.

Data flow: `raw.duckdb` (attached read-only) -> consent_events, suppressions, consent_requests,
unknown_words; with them push_subscriptions.

Refusals are looked for in every row that arrived, those in quarantine too; opt-ins only in good
ones. A fact's id is the hash of what the source said, so another run, another file with the same
row or a full refresh adds nothing. Loads that were read are remembered in the same transaction as
their facts: a crash can repeat work, never lose an opt-out. The raw file must not be open elsewhere
in the process (close dlt's client first).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, select

from ingestion.duckdb import connect, has_table, literal, name
from ingestion.errors import MemoryLimitError, RegularsError
from ingestion.landing.fields import DUCKDB_TYPES
from ingestion.memory import BATCH_MEMORY
from ingestion.registry import SOURCES
from orchestration.ops import schema
from orchestration.ops.permission import unknown_words
from orchestration.ops.permission.consents import append_facts
from orchestration.ops.permission.fact_queries import (
    CHANGE_LOG,
    FACTS_VERSION,
    QUERIES,
    FactQuery,
    column_queries,
    event_queries,
    file_queries,
    new_rows,
    statement,
    trait_queries,
)
from orchestration.ops.permission.fact_queries_web import pointer
from orchestration.ops.permission.held_rows import HeldRows, read_held_rows
from orchestration.ops.permission.readings import match_statements, seen_countries
from orchestration.ops.permission.spoken_names import is_permission
from orchestration.ops.permission.status_words import status_words
from orchestration.ops.permission.understanding import end_all_sms, understand
from orchestration.ops.permission.unknown_words import NOBODY, UNREAD_FILE, UnknownWord
from orchestration.ops.push_subscriptions import record_subscriptions
from orchestration.ops.store import (
    CHUNK,
    Store,
    fetch_batches,
    fetch_columns,
    insert_new,
    rows_of,
    rows_of_batches,
    upsert,
)
from orchestration.ops.unread_sources import forget_read

_VERSIONS = 10**6
_WEB = "raw_web.events"
_COUNTRIES = "phone_countries"
_DEEPEST_TRAIT = 4  # of objects within objects
_TIME_IN_ID = "case when is_timeless then null else occurred_at end"


@dataclass(frozen=True)
class FactCounts:
    """How many facts were new, how many statements had no usable identifier or time, and how many
    things wait for a person to look at: words nobody told us, refusals that name nobody."""

    consents: int
    suppressions: int
    unusable: int
    unknown_words: int = 0
    refusals_of_nobody: int = 0
    unread_files: int = 0

    def for_a_person(self) -> list[str]:
        """A sentence for each thing that a person should look at."""
        lines = []
        if self.unknown_words:
            lines.append(
                f"{self.unknown_words:,} unknown words count as a no until"
                " dbt_project/seeds/status_words.csv says what they mean"
            )
        if self.refusals_of_nobody:
            lines.append(f"{self.refusals_of_nobody:,} refusals name nobody that can be read")
        if self.unread_files:
            lines.append(
                f"the refusals in {self.unread_files:,} unreadable files are unknown;"
                " have them written again"
            )
        return [f"{line} (`regulars doctor` names them)" for line in lines]


def record_consent_facts(
    store: Store,
    raw: Path,
    *,
    as_of: datetime,
    default_country: str,
    rescan: bool = False,
    sms_refusal_ends_everything: bool = True,
    shops: tuple[tuple[str, str], ...] = (),
) -> FactCounts:
    """Append what the sources say about permission; rows of loads already read are skipped.

    Args:
        store: the operational store.
        raw: the raw DuckDB file.
        as_of: the run's moment; stands in for the time of an opt-out that has none.
        default_country: the country of phone numbers written without one.
        rescan: read every row again (after a full refresh); adds nothing that is there.
        sms_refusal_ends_everything: whether a refusal of SMS ends every purpose of it.
        shops: which further shop a file is of, by a pattern of its path.
    """
    if not raw.exists():
        return FactCounts(0, 0, 0)
    with _raw_attached(raw) as connection, store.write() as ops:
        loads = _new_loads(connection, ops, rescan=rescan)
        connection.register("new_loads", loads)
        countries = _countries(connection, ops, default_country)
        if countries.is_new:
            loads = _new_loads(connection, ops, rescan=True)
            connection.register("new_loads", loads)
        words = _Words(default_country, countries.all, sms_refusal_ends_everything, shops)
        counts = _record(connection, ops, words, as_of)
        for shape in _stored_shapes(connection, {_WEB} & _fresh(connection)).values():
            record_subscriptions(connection, ops, shape, as_of)
        insert_new(ops, schema.fact_loads, rows_of(loads))
        forget_read(ops)
        upsert(ops, schema.meta, [{"key": _COUNTRIES, "value": ",".join(countries.all)}])
    return counts


def record_refusals_at_once(
    store: Store,
    arrivals: Iterable[Arrival],
    *,
    as_of: datetime,
    default_country: str,
    sms_refusal_ends_everything: bool = True,
    shops: tuple[tuple[str, str], ...] = (),
) -> FactCounts:
    """Append the refusals in what has just arrived, before any run reads it.

    They are read as a row in quarantine is: by the same statements, so that the run which reads the
    rows later finds facts with the same ids; opt-ins wait for that run.

    Args:
        store: the operational store.
        arrivals: what came; of sources that never speak of permission nothing is taken.
        as_of: when it came; stands in for the time of an opt-out that has none.
        default_country: the country of phone numbers written without one.
        sms_refusal_ends_everything: whether a refusal of SMS ends every purpose of it.
        shops: which further shop a file is of, by a pattern of its path.
    """
    asked = {query.source_table for query in QUERIES}
    speaking = [arrival for arrival in arrivals if f"raw_{arrival.table}" in asked]
    if not speaking:
        return FactCounts(0, 0, 0)
    with _raw_of(speaking) as connection, store.write() as ops:
        known = ops.execute(select(schema.meta.c.value).where(schema.meta.c.key == _COUNTRIES))
        countries = set((known.scalar() or "").split(",")) - {""} | {default_country}
        known_countries = tuple(sorted(countries))
        words = _Words(default_country, known_countries, sms_refusal_ends_everything, shops)
        return _record(connection, ops, words, as_of)


@dataclass(frozen=True)
class Arrival:
    """Rows of a source as they came in: one JSON document, or an array of them.

    `table` is the source and its table, such as `email.events`; `file` names the text.
    """

    table: str
    file: str
    text: str


@dataclass(frozen=True)
class _Words:
    """What the reading of a statement rests on beside the list of words: countries of phone
    numbers, how far a refusal of SMS goes, and which files are of a further shop."""

    default_country: str
    countries: tuple[str, ...]
    sms_refusal_ends_everything: bool
    shops: tuple[tuple[str, str], ...] = ()


def _record(
    connection: duckdb.DuckDBPyConnection, ops: Connection, words: _Words, as_of: datetime
) -> FactCounts:
    """Append what the rows of `new_loads` in the attached raw store say, in the caller's
    transaction."""
    fresh = _fresh(connection)
    tables = {
        table
        for table in {query.source_table for query in QUERIES} & _existing(connection)
        if {table, _quarantine(table)} & fresh
    }
    held = read_held_rows(connection, tables, status_words(), words.shops)
    shapes = _stored_shapes(connection, tables)
    _collect(connection, _queries(connection, tables, shapes), shapes, held, fresh)
    unknown = [
        *understand(connection),
        *(UnknownWord(UNREAD_FILE, f"{source}: {file}", 1) for source, file in held.unread_files),
    ]
    if words.sms_refusal_ends_everything:
        end_all_sms(connection)
    unusable, nobody = match_statements(connection, words.default_country, words.countries)
    _drop_repeated_states(connection, ops)
    consents, suppressions = append_facts(
        ops, _consents(connection, as_of), _suppressions(connection, as_of)
    )
    insert_new(ops, schema.consent_requests, _requests(connection, as_of))
    nobodies = [UnknownWord(NOBODY, source, count) for source, count in nobody.items()]
    settled = unknown_words.note(ops, [*unknown, *nobodies], as_of)
    return FactCounts(
        consents,
        suppressions + settled,
        unusable,
        sum(each.said_in not in (UNREAD_FILE, NOBODY) for each in unknown),
        sum(nobody.values()),
        len(held.unread_files),
    )


@dataclass(frozen=True)
class _Countries:
    """Countries whose records are in the data; `is_new` where one came that facts knew not of."""

    all: tuple[str, ...]
    is_new: bool


def _countries(
    connection: duckdb.DuckDBPyConnection, ops: Connection, default_country: str
) -> _Countries:
    """A refusal of a number without its country code counts in each of them."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == _COUNTRIES)
    known = set((ops.execute(query).scalar() or "").split(",")) - {""}
    seen = seen_countries(connection) | {default_country}
    return _Countries(tuple(sorted(known | seen)), bool(known and seen - known))


@contextmanager
def _raw_of(arrivals: Iterable[Arrival]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A raw store in memory that holds nothing but these rows, in quarantine."""
    with connect() as connection:
        connection.execute("set timezone = 'UTC'; attach ':memory:' as raw")
        loads = []
        for number, arrival in enumerate(arrivals):
            source, table = arrival.table.split(".")
            connection.execute(f"create schema if not exists raw.raw_{source}")
            connection.execute(
                f"create table if not exists raw.raw_{source}.{table}"
                " (_dlt_load_id varchar, _file varchar)"
            )
            quarantine = f"raw_{source}.quarantine"
            connection.execute(
                f"create table if not exists raw.{quarantine} (table_name varchar, file varchar,"
                " line bigint, reason varchar, raw_text varchar, quarantine_id varchar,"
                " _dlt_load_id varchar)"
            )
            # An array is read as a file is, each element by itself, however bad another one is.
            line = 0 if arrival.text.lstrip().startswith("[") else 1
            connection.execute(
                f"insert into raw.{quarantine} values (?, ?, ?, 'arrived', ?, ?, 'arrived')",
                [table, arrival.file, line, arrival.text, str(number)],
            )
            loads.append(quarantine)
        connection.register(
            "new_loads",
            pa.table({"source_table": loads, "load_id": ["arrived"] * len(loads)}),
        )
        yield connection


@contextmanager
def _raw_attached(raw: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(at_most=BATCH_MEMORY) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach {literal(raw)} as raw (read_only)")
        yield connection


def _new_loads(connection: duckdb.DuckDBPyConnection, ops: Connection, *, rescan: bool) -> pa.Table:
    """Loads in raw that the store has not read, by table. Ids are compared, never ordered: they
    come from a clock, and a clock may go back."""
    asked = {query.source_table for query in QUERIES}
    asked |= set(map(_quarantine, asked))
    # A word that is learnt changes what rows mean, so the list is part of the version.
    version = FACTS_VERSION * _VERSIONS + status_words().fingerprint % _VERSIONS
    parts = [
        f"select distinct '{table}' as source_table, _dlt_load_id as load_id,"
        f" {version}::bigint as facts_version from raw.{table}"
        for table in sorted(asked & _existing(connection))
    ]
    columns = (
        ("source_table", pa.string()),
        ("load_id", pa.string()),
        ("facts_version", pa.int64()),
    )
    if not parts:
        return pa.schema([pa.field(*column) for column in columns]).empty_table()
    seen = select(*schema.fact_loads.columns).where(
        schema.fact_loads.c.facts_version == (-1 if rescan else version)
    )
    connection.register("seen_loads", fetch_columns(ops, seen, columns))
    query = f"({' union all '.join(parts)}) except select * from seen_loads order by all"
    return connection.execute(query).to_arrow_table()


def _fresh(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The raw tables, quarantines among them, of which some load was not read before."""
    return _texts(connection, "select distinct source_table from new_loads")


def _quarantine(table: str) -> str:
    """Where the rows of a raw table are that were put aside."""
    return f"{table.split('.', maxsplit=1)[0]}.quarantine"


def _existing(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'raw'"
    )
    return {row[0] for row in rows.fetchall()}


def _stored_shapes(connection: duckdb.DuckDBPyConnection, tables: set[str]) -> dict[str, str]:
    """What to read each raw table as: with every declared column, even where it was last written
    by an earlier version and its source did not get to load since."""
    shapes = {table: f"raw.{table}" for table in tables}
    for table in sorted(tables):
        source, stored = table.removeprefix("raw_").split(".")
        specs = [spec for spec in SOURCES[source].tables if spec.name == stored]
        there = _texts(
            connection,
            "select column_name from duckdb_columns() where database_name = 'raw' "
            f"and schema_name || '.' || table_name = {literal(table)}",
        )
        missing = "".join(
            f", null::{DUCKDB_TYPES[kind]} as {name(column)}"
            for spec in specs
            for column, kind in spec.stored_columns
            if column not in there
        )
        if missing:
            shapes[table] = f"(select *{missing} from raw.{table})"
    return shapes


def _queries(
    connection: duckdb.DuckDBPyConnection, tables: set[str], shapes: dict[str, str]
) -> list[FactQuery]:
    """The statements of the tables that are there, those for further columns, files, events and
    traits that say by their name what they are about included."""
    queries = [query for query in QUERIES if query.source_table in tables]
    if (contacts := "raw_contacts.contacts") in tables:
        columns, files = set[str](), set[str]()
        for relation in _relations(connection, contacts, shapes):
            columns |= _texts(
                connection, f"select distinct unnest(json_keys(attributes)) from {relation}"
            )
            files |= _texts(connection, f"select distinct _file from {relation}")
        queries += [*column_queries(columns), *file_queries(files)]
    if (web := "raw_web.events") in tables:
        events, traits = set[str](), set[tuple[str, ...]]()
        for relation in _relations(connection, web, shapes, is_new=True):
            events |= _texts(connection, f"select distinct event from {relation}")
            traits |= _traits(connection, relation)
        queries += [*event_queries(events), *trait_queries(traits)]
    return queries


def _relations(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    shapes: dict[str, str],
    *,
    is_new: bool = False,
) -> Iterator[str]:
    """A raw table, of `is_new` its rows that were not read before, and its held rows."""
    yield f"(select * from {shapes[table]} where {new_rows(table)})" if is_new else shapes[table]
    if has_table(connection, "held", table):
        yield f'held."{table}"'


def _traits(connection: duckdb.DuckDBPyConnection, relation: str) -> set[tuple[str, ...]]:
    """The paths of people's traits in calls, down into objects whose name is of permission."""
    documents = (
        f"(select traits as said from {relation} where traits is not null union all"
        f" select context -> '$.traits' from {relation} where contains(context, '\"traits\"'))"
    )
    paths, open_paths = set[tuple[str, ...]](), [tuple[str, ...]()]
    while open_paths:
        path = open_paths.pop()
        object_sql = f"json_extract(calls.said, {pointer(*path)})" if path else "calls.said"
        keys = connection.execute(
            f"select distinct key, type = 'OBJECT' from {documents} as calls,"
            f" json_each({object_sql}) where key is not null"
        ).fetchall()
        for key, is_object in keys:
            inner = (*path, str(key))
            if not is_object:
                paths.add(inner)
            elif len(inner) < _DEEPEST_TRAIT and is_permission(" ".join(inner)):
                open_paths.append(inner)
    return paths


def _texts(connection: duckdb.DuckDBPyConnection, query: str) -> set[str]:
    return {str(row[0]) for row in connection.execute(query).fetchall() if row[0] is not None}


def _collect(
    connection: duckdb.DuckDBPyConnection,
    queries: list[FactQuery],
    shapes: dict[str, str],
    held: HeldRows,
    fresh: set[str],
) -> None:
    """All statements of the sources, as written, in two temporary tables."""
    connection.execute(
        "create temp table said_consents (identifier_type varchar, raw_value varchar,"
        " channel varchar, purpose varchar, status varchar, level varchar, said_in varchar,"
        " occurred_at timestamp, source varchar, wording_version varchar, expires_at timestamp,"
        " proof varchar, lawful_basis varchar, is_timeless boolean, country varchar,"
        " is_held boolean)"
    )
    connection.execute(
        "create temp table said_suppressions (identifier_type varchar, raw_value varchar,"
        " channel varchar, purpose varchar, reason varchar, said_in varchar,"
        " occurred_at timestamp, source varchar, country varchar)"
    )
    for query in queries:
        stored = shapes[query.source_table]
        if query.source_table in fresh:
            _ask(connection, query, stored)
        if query.source_table in held.tables:
            _ask(connection, query, stored, held.tables[query.source_table])
    for each in held.spoken:
        connection.execute(
            "insert into said_suppressions (identifier_type, raw_value, channel, purpose, reason,"
            " said_in, source) values (?, ?, ?, '*', ?, ?, ?)",
            [
                *(each.identifier_type, each.raw_value, each.channel),
                *(each.reason, each.said_in, each.source),
            ],
        )


def _ask(
    connection: duckdb.DuckDBPyConnection, query: FactQuery, stored: str, held: str = ""
) -> None:
    facts_sql = statement(query, stored, held)
    extra = ", true as is_held" if held and query.kind == "consents" else ""
    try:
        connection.execute(
            f"insert into said_{query.kind} by name select *{extra} from ({facts_sql})"
        )
    except duckdb.OutOfMemoryException:
        raise MemoryLimitError from None
    except duckdb.Error as error:
        # Without its cause: DuckDB quotes the value it stumbled over.
        raise RegularsError(
            f"The permission facts of {query.source_table} cannot be read"
            f" ({type(error).__name__}).",
            "Nothing was recorded. Look for broken rows of that table, or reload it.",
        ) from None


def _drop_repeated_states(connection: duckdb.DuckDBPyConnection, ops: Connection) -> None:
    """Of states that are repeated on every event, keep only the changes."""
    table = schema.consent_events
    columns = (
        ("identifier_type", pa.string()),
        ("identifier_value", pa.string()),
        ("channel", pa.string()),
        ("purpose", pa.string()),
        ("status", pa.string()),
        ("occurred_at", pa.timestamp("us")),
    )
    known = select(*(table.c[name] for name, _ in columns)).where(table.c.source == CHANGE_LOG)
    connection.execute(
        "create temp table known_states as"
        f" select {', '.join(name for name, _ in columns)} from consents limit 0"
    )
    for states in fetch_batches(ops, known, columns):
        connection.register("states_page", pa.Table.from_batches([states]))
        connection.execute("insert into known_states select * from states_page")
        connection.unregister("states_page")
    connection.execute(
        f"""
        create temp table changes as
        with states as (
            select *, true as is_new from consents where source = '{CHANGE_LOG}'
            union all by name
            select *, false as is_new from known_states
        )
        select * exclude (is_new) from states
        qualify is_new and status is distinct from lag(status) over (
            partition by identifier_type, identifier_value, channel, purpose
            order by occurred_at, is_new, status)
        """
    )
    connection.execute(f"delete from consents where source = '{CHANGE_LOG}'")
    connection.execute("insert into consents by name select * from changes")


def _facts(
    connection: duckdb.DuckDBPyConnection, query: str, as_of: datetime
) -> Iterator[dict[str, Any]]:
    """The rows of a query as the store wants them; it is asked when the first one is taken, and
    nothing else may be asked of the session before the last one.

    Of rows with one id the store keeps the first: the order says which, and sorting, unlike
    grouping, can put on the disk what does not fit into memory.
    """
    yield from rows_of_batches(connection.execute(query, {"as_of": as_of}).to_arrow_reader(CHUNK))


def _consents(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Iterator[dict[str, Any]]:
    """Final rows. The id hashes what was said, so it does not depend on when it was read."""
    statement_columns = ("channel", "purpose", "status", _TIME_IN_ID, "source", "wording_version")
    # A level is part of what was said; without one the id is what it was before there were levels.
    basis = "lawful_basis || coalesce(chr(31) || level, '')"
    receipt = _id("consent", *statement_columns, "expires_at", "proof", basis)
    return _facts(
        connection,
        f"""
        select {receipt} as consent_event_id,
            identifier_type, identifier_value, channel, purpose, status,
            coalesce(occurred_at, $as_of) as occurred_at,
            coalesce(source, 'unknown') as source, wording_version, expires_at, proof,
            lawful_basis, level, $as_of::timestamp as recorded_at
        from consents order by consent_event_id, occurred_at
        """,
        as_of,
    )


def _suppressions(
    connection: duckdb.DuckDBPyConnection, as_of: datetime
) -> Iterator[dict[str, Any]]:
    fact = _id("suppression", "channel", "purpose", "reason", "occurred_at", "source")
    return _facts(
        connection,
        f"""
        select {fact} as suppression_id,
            identifier_type, identifier_value, channel, purpose, reason,
            coalesce(occurred_at, $as_of) as occurred_at,
            coalesce(source, 'unknown') as source, $as_of::timestamp as recorded_at
        from suppressions order by suppression_id
        """,
        as_of,
    )


def _requests(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Iterator[dict[str, Any]]:
    asked = _id("request", "channel", "purpose", "occurred_at", "source", "wording_version")
    return _facts(
        connection,
        f"""
        select {asked} as consent_request_id,
            identifier_type, identifier_value, channel, purpose, occurred_at, source,
            wording_version, $as_of::timestamp as recorded_at
        from requests order by consent_request_id
        """,
        as_of,
    )


def _id(kind: str, *columns: str) -> str:
    names = ("identifier_type", "identifier_value", *columns)
    parts = ", ".join(f"coalesce(({each})::varchar, '')" for each in names)
    return f"md5(concat_ws(chr(31), '{kind}', {parts}))"
