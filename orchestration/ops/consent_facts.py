"""Permission facts out of the sources, appended to the operational store after each ingest.

Belongs here: reading new raw rows, bringing identifiers into matching form, giving each fact the id
that makes it the same fact for ever, and appending. Does not belong here: what a source's words
mean (`fact_queries`) or any decision.

Data flow: `raw.duckdb` (attached read-only) -> consent_events, suppressions of the store.

A fact's id is the hash of what the source said, so another run, another file with the same row or a
full refresh adds nothing. Loads that were read are remembered in the same transaction as their
facts: a crash can repeat work, never lose an opt-out. The raw file must not be open elsewhere in
the process (close dlt's client first).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, select

from ingestion.duckdb_session import silence
from ingestion.errors import RegularsError
from ingestion.identifiers import match_identifier
from orchestration.ops import schema
from orchestration.ops.consents import append_facts
from orchestration.ops.fact_queries import CHANGE_LOG, FACTS_VERSION, QUERIES, FactQuery, statement
from orchestration.ops.store import Store, fetch_columns, insert_new, rows_of

_STATUSES = "('granted', 'denied', 'revoked')"
_REASONS = "('unsubscribed', 'hard_bounce', 'spam_report', 'manual', 'gpc')"
_TIME_IN_ID = "case when is_timeless then null else occurred_at end"
_OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


@dataclass(frozen=True)
class FactCounts:
    """How many facts were new, and how many statements had no usable identifier or time."""

    consents: int
    suppressions: int
    unusable: int


def record_consent_facts(
    store: Store,
    raw: Path,
    *,
    as_of: datetime,
    default_country: str,
    rescan: bool = False,
) -> FactCounts:
    """Append what the sources say about permission; rows of loads already read are skipped.

    Args:
        store: the operational store.
        raw: the raw DuckDB file.
        as_of: the run's moment; stands in for the time of an opt-out that has none.
        default_country: the country of phone numbers written without one.
        rescan: read every row again (after a full refresh); adds nothing that is there.
    """
    if not raw.exists():
        return FactCounts(0, 0, 0)
    with _raw_attached(raw) as connection, store.write() as ops:
        loads = _new_loads(connection, ops, rescan=rescan)
        connection.register("new_loads", loads)
        queries = _queries_for(set(loads.column("source_table").to_pylist()))
        _collect(connection, queries)
        unusable = _match(connection, default_country)
        _drop_repeated_states(connection, ops)
        consents, suppressions = append_facts(
            ops, rows_of(_consents(connection, as_of)), rows_of(_suppressions(connection, as_of))
        )
        insert_new(ops, schema.fact_loads, rows_of(loads))
    return FactCounts(consents, suppressions, unusable)


@contextmanager
def _raw_attached(raw: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config=_OFFLINE) as connection:
        silence(connection)
        connection.execute("set timezone = 'UTC'")
        path = str(raw).replace("'", "''")
        connection.execute(f"attach '{path}' as raw (read_only)")
        yield connection


def _new_loads(connection: duckdb.DuckDBPyConnection, ops: Connection, *, rescan: bool) -> pa.Table:
    """Loads in raw that the store has not read, by table. Ids are compared, never ordered: they
    come from a clock, and a clock may go back."""
    tables = sorted({query.source_table for query in QUERIES} & _existing(connection))
    parts = [
        f"select distinct '{table}' as source_table, _dlt_load_id as load_id,"
        f" {FACTS_VERSION}::bigint as facts_version from raw.{table}"
        for table in tables
    ]
    columns = (
        ("source_table", pa.string()),
        ("load_id", pa.string()),
        ("facts_version", pa.int64()),
    )
    if not parts:
        return pa.schema([pa.field(*column) for column in columns]).empty_table()
    seen = select(*schema.fact_loads.columns).where(
        schema.fact_loads.c.facts_version == (-1 if rescan else FACTS_VERSION)
    )
    connection.register("seen_loads", fetch_columns(ops, seen, columns))
    query = f"({' union all '.join(parts)}) except select * from seen_loads order by all"
    return connection.execute(query).to_arrow_table()


def _existing(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'raw'"
    )
    return {row[0] for row in rows.fetchall()}


def _queries_for(tables: set[str]) -> list[FactQuery]:
    return [query for query in QUERIES if query.source_table in tables]


def _collect(connection: duckdb.DuckDBPyConnection, queries: list[FactQuery]) -> None:
    """All statements of the sources, as written, in two temporary tables."""
    connection.execute(
        "create temp table said_consents (identifier_type varchar, raw_value varchar,"
        " channel varchar, purpose varchar, status varchar, occurred_at timestamp,"
        " source varchar, wording_version varchar, expires_at timestamp, proof varchar,"
        " lawful_basis varchar, is_timeless boolean)"
    )
    connection.execute(
        "create temp table said_suppressions (identifier_type varchar, raw_value varchar,"
        " channel varchar, purpose varchar, reason varchar, occurred_at timestamp,"
        " source varchar)"
    )
    for query in queries:
        try:
            connection.execute(f"insert into said_{query.kind} by name {statement(query)}")
        except duckdb.Error as error:
            # Without its cause: DuckDB quotes the value it stumbled over.
            raise RegularsError(
                f"The permission facts of {query.source_table} cannot be read"
                f" ({type(error).__name__}).",
                "Nothing was recorded. Look for broken rows of that table, or reload it.",
            ) from None


def _match(connection: duckdb.DuckDBPyConnection, default_country: str) -> int:
    """Bring identifiers into matching form, once per distinct value; count what has none."""
    distinct = connection.execute(
        "select distinct identifier_type, raw_value from said_consents"
        " union select distinct identifier_type, raw_value from said_suppressions"
    ).fetchall()
    matched = pa.table(
        {
            "identifier_type": pa.array([row[0] for row in distinct], pa.string()),
            "raw_value": pa.array([row[1] for row in distinct], pa.string()),
            "identifier_value": pa.array(
                [match_identifier(kind or "", value, default_country) for kind, value in distinct],
                pa.string(),
            ),
        }
    )
    connection.register("matched", matched)
    for name in ("consents", "suppressions"):
        connection.execute(
            f"create temp table {name} as select said.* exclude (raw_value), identifier_value"
            f" from said_{name} as said left join matched"
            " using (identifier_type, raw_value)"
        )
    usable = "identifier_value is not null and channel is not null and purpose is not null"
    dropped = 0
    for name, rule in (
        # An opt-in needs a time and a source; an opt-out counts without either.
        (
            "consents",
            f"{usable} and status in {_STATUSES} and (status <> 'granted'"
            " or (occurred_at is not null and source is not null))",
        ),
        ("suppressions", f"{usable} and reason in {_REASONS}"),
    ):
        row = connection.execute(f"delete from {name} where not coalesce({rule}, false)").fetchone()
        dropped += int(row[0]) if row else 0
    return dropped


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
    connection.register("known_states", fetch_columns(ops, known, columns))
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


def _consents(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pa.Table:
    """Final rows. The id hashes what was said, so it does not depend on when it was read."""
    said = ("channel", "purpose", "status", _TIME_IN_ID, "source", "wording_version")
    receipt = _id("consent", *said, "expires_at", "proof", "lawful_basis")
    return connection.execute(
        f"""
        select distinct on (consent_event_id) {receipt} as consent_event_id,
            identifier_type, identifier_value, channel, purpose, status,
            coalesce(occurred_at, $as_of) as occurred_at,
            coalesce(source, 'unknown') as source, wording_version, expires_at, proof,
            lawful_basis, $as_of::timestamp as recorded_at
        from consents order by consent_event_id, occurred_at
        """,
        {"as_of": as_of},
    ).to_arrow_table()


def _suppressions(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pa.Table:
    fact = _id("suppression", "channel", "purpose", "reason", "occurred_at", "source")
    return connection.execute(
        f"""
        select distinct on (suppression_id) {fact} as suppression_id,
            identifier_type, identifier_value, channel, purpose, reason,
            coalesce(occurred_at, $as_of) as occurred_at,
            coalesce(source, 'unknown') as source, $as_of::timestamp as recorded_at
        from suppressions order by suppression_id
        """,
        {"as_of": as_of},
    ).to_arrow_table()


def _id(kind: str, *columns: str) -> str:
    names = ("identifier_type", "identifier_value", *columns)
    parts = ", ".join(f"coalesce({name}::varchar, '')" for name in names)
    return f"md5(concat_ws(chr(31), '{kind}', {parts}))"
