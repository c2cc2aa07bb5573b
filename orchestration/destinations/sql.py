"""The `sql` destination: audiences as rows of a table of ours, in any database SQLAlchemy knows.

Calls, one transaction per batch: the tables are made or get the columns that are missing; the
versions of the batch's people are read and locked; rows older than what is there are left out; rows
of people who are removed are deleted, those of members are updated or inserted. `finish` deletes
every row of the segment that is of no member, so that an id which was merged into another goes too,
and writes rows anew that somebody deleted.
Auth: `url_env` names the variable with the URL (`postgresql+psycopg://user:password@host/name`);
its user may create, alter, read and write the tables. Limits: `batch_size` rows.
Not done: values that somebody changed there stay until the person changes (docs/channels/sql.md).

Idempotent as a set: a row sets the state of one person, and an older one changes nothing. What is
older is told by the start of its sync, then by its version, which a restored store begins again.

Does not belong here: the shape of the tables (`audience_tables`), the gate.
Data flow: outbox rows -> regulars_audience_members.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from ingestion.errors import RegularsError
from ingestion.sources.sql.engine import database_url, no_driver, open_engine, sqlite_file
from ingestion.vocabulary import CHANNELS
from orchestration.destinations.audience_tables import (
    MEMBERS,
    AudienceTables,
    audience_tables,
    exist,
    prepare,
    written_fields,
)
from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    Batch,
    Idempotency,
    Identifiers,
    Limits,
    Outcome,
    Payload,
    RetryLaterError,
    Row,
    merged_ids,
)
from orchestration.destinations.http import as_json
from orchestration.destinations.options import checked_options
from orchestration.home.layout import Home

CONNECT_SECONDS = 10
ASKED_AT_ONCE = 500  # people of one query
UNSTORABLE = "unstorable_text"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as every moment of a sync
_MICROSECOND = timedelta(microseconds=1)
_REPEATED = re.compile("unique|duplicate", re.IGNORECASE)
_NO_LOGIN = ("authentication failed", "does not exist", "pg_hba.conf", "Access denied")
_CONNECT_ARGS: dict[str, dict[str, Any]] = {
    "sqlite": {"timeout": CONNECT_SECONDS},
    "postgresql": {"connect_timeout": CONNECT_SECONDS},
    "postgresql+psycopg": {"connect_timeout": CONNECT_SECONDS},
    "postgresql+psycopg2": {"connect_timeout": CONNECT_SECONDS},
}
# A batch holds refusals back while it is written: it may not wait for ever.
_PATIENCE = ("set local lock_timeout = '30s'", "set local statement_timeout = '120s'")

Moment = tuple[int, int]  # start of the sync in microseconds, version


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url_env: Annotated[str, Field(min_length=1)]
    table: Annotated[str, Field(pattern=r"^([a-z_][a-z0-9_]*\.)?[a-z_][a-z0-9_]{0,50}$")] = MEMBERS
    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    columns: list[str] = []


class SqlDestination:
    """Keeps audiences as rows of a table."""

    channels = frozenset(CHANNELS)
    idempotency = Idempotency.SET
    acknowledgement = Acknowledgement.APPLIED

    def __init__(self, name: str, options: Options) -> None:
        """Nothing is opened until the first delivery."""
        self.name = name
        self.limits = Limits(options.batch_size)
        self._options = options
        self._where = f"destinations.{name}.options"

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Write one batch, whole or not at all."""
        bad = {row.key for row in batch.rows if row.operation != "removed" and _is_bad(row)}
        rows = [row for row in batch.rows if row.key not in bad]
        if rows:
            tables = self._tables(batch.columns)
            with self._transaction() as connection:
                prepare(connection, tables)
                self._write(connection, tables, batch, rows)
        return [
            Outcome(row.key, "rejected", UNSTORABLE)
            if row.key in bad
            else Outcome(row.key, "delivered")
            for row in batch.rows
        ]

    def finish(self, audience: Audience) -> None:
        """Delete the rows of whoever is no member; put back those that somebody deleted."""
        tables, segment = self._tables(audience.columns), audience.segment
        with self._transaction() as connection:
            if not exist(connection, tables):
                return
            prepare(connection, tables)
            there = self._people(connection, tables.members, segment)
            members: set[str] = set()
            absent: dict[str, Payload] = {}
            for payload in audience.members:
                who = str(payload["customer_id"])
                members.add(who)
                if who not in there:
                    absent[who] = payload
            self._end(connection, tables, segment, there - members)
            self._put_back(connection, tables, segment, absent)

    def members_of(self, segment: str) -> Iterable[str]:
        """The ids of the members that it has of a segment.

        Raises:
            RetryLaterError: it cannot be asked now.
        """
        tables = self._tables(())
        with self._transaction() as connection:
            if not exist(connection, tables):
                return ()
            return self._people(connection, tables.members, segment)

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Delete every row with one of their identifiers, and the versions of the same ids.

        Raises:
            RetryLaterError: it cannot be asked now.
        """
        with self._transaction() as connection:
            fields = written_fields(connection, self._tables(()))
            tables = self._tables(fields)
            for person in people if exist(connection, tables) else ():
                columns = tables.members.c
                is_theirs = [
                    columns[kind].in_(values)
                    for kind, values in person.values.items()
                    if kind in fields
                ]
                ours = sa.select(columns.customer_id).where(columns.destination == self.name)
                rows = connection.execute(ours.where(sa.or_(sa.false(), *is_theirs)))
                ids = {str(row[0]) for row in rows} | {*person.values.get("customer_id", ())}
                for table in (tables.members, tables.versions):
                    self._delete(connection, table, None, ids)
        return [Outcome(person.key, "delivered") for person in people]

    def preview(self, segment: str) -> str:
        """Which rows of which database."""
        options = self._options
        return f"rows of `{segment}` in {options.table} of the database in {options.url_env}"

    def stays_in(self, folder: Path) -> bool:
        """Whether it is a file of SQLite below it, links followed."""
        file = sqlite_file(database_url(self._where, self._options.url_env))
        return file is not None and file.resolve().is_relative_to(folder.resolve())

    def _write(
        self,
        connection: sa.Connection,
        tables: AudienceTables,
        batch: Batch,
        rows: Sequence[Row],
    ) -> None:
        started = (batch.started_at - _EPOCH) // _MICROSECOND
        segment = batch.segment
        newest = {row.customer_id: row for row in sorted(rows, key=lambda row: row.version)}
        known = self._known(connection, tables.versions, segment, newest)
        # Of the same version is the same row: it is written again, whatever became of it there.
        fresh = {
            who: row for who, row in newest.items() if (started, row.version) >= known.get(who, ())
        }
        versions = {
            who: {
                "sync_started_us": started,
                "version": row.version,
                "is_member": row.operation != "removed",
            }
            for who, row in fresh.items()
        }
        self._put(connection, tables.versions, segment, versions, known)
        members = {
            who: _member(tables, row.payload, (started, row.version))
            for who, row in fresh.items()
            if row.operation != "removed"
        }
        ended = {who for row in fresh.values() for who in (row.customer_id, *merged_ids(row))}
        self._end(connection, tables, segment, ended - members.keys())
        there = self._people(connection, tables.members, segment, members)
        self._put(connection, tables.members, segment, members, there)

    def _end(
        self,
        connection: sa.Connection,
        tables: AudienceTables,
        segment: str,
        people: Collection[str],
    ) -> None:
        """Let people be members no more."""
        self._delete(connection, tables.members, segment, people)
        versions = tables.versions
        for some in _parts(people):
            theirs = (*self._pair(versions, segment), versions.c.customer_id.in_(some))
            connection.execute(sa.update(versions).where(*theirs).values(is_member=False))

    def _put_back(
        self,
        connection: sa.Connection,
        tables: AudienceTables,
        segment: str,
        absent: Mapping[str, Payload],
    ) -> None:
        """Write the rows of members anew who were there and have none: somebody deleted them."""
        lost = self._known(connection, tables.versions, segment, absent, only_members=True)
        rows = {who: _member(tables, absent[who], moment) for who, moment in lost.items()}
        self._put(connection, tables.members, segment, rows, there=())

    def _known(
        self,
        connection: sa.Connection,
        versions: sa.Table,
        segment: str,
        people: Collection[str],
        *,
        only_members: bool = False,
    ) -> dict[str, Moment]:
        """How new what it has of these people is; locked, so that two senders take turns."""
        known = {}
        columns = versions.c
        chosen = [columns.is_member.is_(True)] if only_members else []
        for some in _parts(people):
            query = (
                sa.select(columns.customer_id, columns.sync_started_us, columns.version)
                .where(*self._pair(versions, segment), columns.customer_id.in_(some), *chosen)
                .order_by(columns.customer_id)
                .with_for_update()
            )
            known.update({row[0]: (row[1], row[2]) for row in connection.execute(query)})
        return known

    def _put(
        self,
        connection: sa.Connection,
        table: sa.Table,
        segment: str,
        values: Mapping[str, Mapping[str, Any]],
        there: Collection[str],
    ) -> None:
        """Update the rows of people who are there, and insert the others."""
        new = [
            {"destination": self.name, "segment": segment, "customer_id": who, **row}
            for who, row in values.items()
            if who not in there
        ]
        if new:
            connection.execute(sa.insert(table), new)
        changed = [{"who": who, **row} for who, row in values.items() if who in there]
        if changed:
            is_person = table.c.customer_id == sa.bindparam("who")
            connection.execute(
                sa.update(table).where(*self._pair(table, segment), is_person), changed
            )

    def _delete(
        self,
        connection: sa.Connection,
        table: sa.Table,
        segment: str | None,
        people: Collection[str],
    ) -> None:
        """Delete people's rows, of one segment or of all."""
        for some in _parts(people):
            pair = self._pair(table, segment)
            connection.execute(sa.delete(table).where(*pair, table.c.customer_id.in_(some)))

    def _people(
        self,
        connection: sa.Connection,
        table: sa.Table,
        segment: str,
        among: Collection[str] | None = None,
    ) -> set[str]:
        """Who has a row of the segment, of all or of some."""
        query = sa.select(table.c.customer_id).where(*self._pair(table, segment))
        if among is None:
            return {str(row[0]) for row in connection.execute(query)}
        parts = (query.where(table.c.customer_id.in_(some)) for some in _parts(among))
        return {str(row[0]) for part in parts for row in connection.execute(part)}

    def _pair(self, table: sa.Table, segment: str | None) -> list[sa.ColumnElement[bool]]:
        """What is ours of a table, of one segment or of all."""
        of_segment = [] if segment is None else [table.c.segment == segment]
        return [table.c.destination == self.name, *of_segment]

    def _tables(self, columns: Sequence[str]) -> AudienceTables:
        return audience_tables(self._options.table, columns)

    @cached_property
    def _engine(self) -> sa.Engine:
        """It keeps no connection open between two transactions."""
        variable = self._options.url_env
        arguments = _CONNECT_ARGS.get(database_url(self._where, variable).drivername, {})
        engine = open_engine(self._where, variable, poolclass=sa.NullPool, connect_args=arguments)
        if engine.dialect.name == "sqlite":
            _begin_at_once(engine)
        return engine

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """A transaction that is there as a whole or not at all, and errors in our own words."""
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    for setting in _PATIENCE:
                        connection.exec_driver_sql(setting)
                yield connection
        except ImportError as error:
            raise no_driver(self._where, error.name or "") from None
        except SQLAlchemyError as error:
            raise self._error_of(error) from None

    def _error_of(self, error: SQLAlchemyError) -> RegularsError:
        """The error without a driver's words, which carry the URL and values."""
        cause = getattr(error, "orig", None) or error
        if isinstance(error, IntegrityError) and _REPEATED.search(str(cause)):
            return RetryLaterError("conflict")  # another sender wrote the same people
        is_away = isinstance(error, OperationalError) or (
            isinstance(error, DBAPIError) and error.connection_invalidated
        )
        if is_away and not any(words in str(cause) for words in _NO_LOGIN):
            return RetryLaterError("database_unavailable")
        options = self._options
        if is_away:
            return RegularsError(
                f"The database of `{self.name}` refused the login ({type(cause).__name__}).",
                f"Check user, password and database in {options.url_env}; the rows stay queued.",
            )
        return RegularsError(
            f"The database of `{self.name}` did not take the rows ({type(cause).__name__}).",
            f"Check that the user of {options.url_env} may create, alter, read and write"
            f" {options.table} and the tables that begin with it; the rows stay queued.",
        )


def create(name: str, options: dict[str, Any], home: Home) -> SqlDestination:  # noqa: ARG001
    """The destination with these options.

    Raises:
        UsageError: an option is unknown or has a wrong value.
    """
    return SqlDestination(name, checked_options(Options, name, options))


def _begin_at_once(engine: sa.Engine) -> None:
    """SQLite's driver begins a transaction with the first change, after we have read versions."""

    @sa.event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _is_bad(row: Row) -> bool:
    """Whether a text of it cannot stand in a database."""
    texts = [value for value in row.payload.values() if isinstance(value, str)]
    return any("\0" in text or not _is_unicode(text) for text in texts)


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _member(tables: AudienceTables, payload: Payload, moment: Moment) -> dict[str, Any]:
    """A member's row without its key."""
    started, version = moment
    fields = {field: _text(payload.get(field)) for field in tables.fields}
    return {"version": version, "sync_started_at": _EPOCH + started * _MICROSECOND, **fields}


def _text(value: Any) -> str | None:
    """A field as text; what is no text already, as JSON."""
    return value if value is None or isinstance(value, str) else as_json(value).decode()


def _parts(people: Iterable[str]) -> Iterator[list[str]]:
    """People in order, as many as one query asks about."""
    ordered = sorted(people)
    for start in range(0, len(ordered), ASKED_AT_ONCE):
        yield ordered[start : start + ASKED_AT_ONCE]
