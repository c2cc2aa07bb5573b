"""Opening the operational store, and the few ways everything else talks to it.

Belongs here: the engine, its safety settings, schema creation and version, and bulk helpers that
are the same on SQLite and PostgreSQL. Does not belong here: what any table means.

Data flow: `$REGULARS_HOME/ops.sqlite` (or `REGULARS_OPS_URL`) <-> the modules of this package.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from filelock import FileLock
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Select,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, OperationalError

from ingestion.errors import DiskFullError, RegularsError, tells_of_a_full_disk
from orchestration.home import lock
from orchestration.home.layout import OWNER_ONLY, Home
from orchestration.ops import schema

URL_VARIABLE = "REGULARS_OPS_URL"
BUSY_SECONDS = 30
MIGRATION_SECONDS = 60
CHUNK = 20_000
LOOKUP = 400  # values that one statement binds, two of a key: SQLite's oldest limit is 999
_WRITES = "regulars_writes"
_SIGNS_OF_DAMAGE = ("malformed", "not a database", "Could not decode")
_SIGNS_OF_NO_WRITING = ("readonly database", "unable to open database", "disk I/O error")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - every time in Regulars is naive UTC
_MICROSECOND = timedelta(microseconds=1)


Value = TypeVar("Value")


class StoreError(RegularsError):
    """The operational store cannot be opened or trusted, so nothing may be sent."""


@dataclass(frozen=True)
class Store:
    """An open operational store. Close it, or use it in `with`."""

    engine: Engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot.

        Raises:
            StoreError: the file is damaged.
        """
        with _damage_in_words(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that takes the write lock at once, so it never fails half-way for it.

        Raises:
            StoreError: the file is damaged or cannot be written.
        """
        with _damage_in_words(), self.engine.connect() as plain:
            connection = plain.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give the file back."""
        self.engine.dispose()

    def __enter__(self) -> Store:
        """Use as a context manager."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close, whatever happened."""
        self.close()


def has_store(home: Home) -> bool:
    """Whether the home has an operational store: a file of its own, or one elsewhere by URL."""
    return bool(os.environ.get(URL_VARIABLE)) or home.ops.exists()


def open_store(home: Home, *, url: str | None = None) -> Store:
    """Open the store of `home`, creating or migrating its tables first.

    Raises:
        StoreError: it cannot be opened, is damaged, or was made by a newer version.
    """
    address = url or os.environ.get(URL_VARIABLE)
    try:
        engine = _engine(address) if address else _sqlite_engine(home.ops)
        store = Store(engine)
        _migrate(store, home)
    except (DatabaseError, OSError) as error:
        raise StoreError(
            f"The operational store cannot be opened ({_cause(error)}).",
            "Nothing was sent. Check the disk and the file's permissions, or restore a backup.",
        ) from error
    return store


@contextmanager
def _damage_in_words() -> Iterator[None]:
    """A file that is damaged or cannot be written is told in one sentence.

    The driver's own words may quote what stands in it.
    """
    try:
        yield
    except DatabaseError as error:
        if any(sign in str(error.orig) for sign in _SIGNS_OF_NO_WRITING):
            raise StoreError(
                "The operational store cannot be written.",
                "Nothing more was sent. Check the disk and the permissions of ops.sqlite and its"
                " folder, then try again.",
            ) from None
        if not any(sign in str(error.orig) for sign in _SIGNS_OF_DAMAGE):
            raise
        raise StoreError(
            "The operational store is damaged.",
            "Nothing more was sent. Put ops.sqlite back from a backup; `regulars doctor` looks.",
        ) from None


def to_micros(moment: datetime) -> int:
    """A time as the store keeps it; an aware time is brought to UTC first."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The naive UTC time of a stored number."""
    return _EPOCH + timedelta(microseconds=micros)


def insert_new(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert the rows whose key is not there yet; returns how many were new."""
    statement = _dialect_insert(connection, table).on_conflict_do_nothing()
    return execute_many(connection, statement, rows)


def upsert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert, or overwrite the row with the same key."""
    keys = [column.name for column in table.primary_key]
    statement = _dialect_insert(connection, table)
    changed = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return execute_many(
        connection, statement.on_conflict_do_update(index_elements=keys, set_=changed), rows
    )


def append(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert rows that must be new; a repeated key is an error."""
    return execute_many(connection, insert(table), rows)


def fetch_columns(
    connection: Connection, query: Select[Any], types: Sequence[tuple[str, pa.DataType]]
) -> pa.Table:
    """A query's result as Arrow: a million rows in seconds, not objects."""
    batches = fetch_batches(connection, query, types)
    return pa.Table.from_batches(batches, schema=_schema(types))


def fetch_batches(
    connection: Connection, query: Select[Any], types: Sequence[tuple[str, pa.DataType]]
) -> Iterator[pa.RecordBatch]:
    """The same a chunk at a time, for results that are not to be held whole."""
    target = _schema(types)
    result = connection.execute(query)
    # The driver's own tuples: building SQLAlchemy's row objects would double the time.
    while rows := result.cursor.fetchmany(CHUNK):
        arrays = [
            _stored(column, kind)
            for column, (_, kind) in zip(zip(*rows, strict=True), types, strict=True)
        ]
        yield pa.record_batch(arrays, schema=target)
    result.close()


def _schema(types: Sequence[tuple[str, pa.DataType]]) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in types])


def rows_of(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Arrow rows as the store wants them: dictionaries with times as integers."""
    return rows_of_batches(table.to_batches(max_chunksize=CHUNK))


def rows_of_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    """The same of rows that come in batches."""
    for batch in batches:
        columns = [
            (
                batch.column(i).cast(pa.int64())
                if pa.types.is_timestamp(field.type)
                else batch.column(i)
            ).to_pylist()
            for i, field in enumerate(batch.schema)
        ]
        names = batch.schema.names
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))


def _stored(values: Sequence[Any], kind: pa.DataType) -> pa.Array[Any]:
    """A column as the driver gives it: times are integers, and with SQLite truth values are too."""
    if pa.types.is_boolean(kind):
        return pa.array([None if value is None else bool(value) for value in values], kind)
    return pa.array(values, pa.int64() if pa.types.is_timestamp(kind) else kind).cast(kind)


def in_parts(values: Sequence[Value], size: int = LOOKUP) -> Iterator[Sequence[Value]]:
    """The values in parts that one statement can bind."""
    return (values[start : start + size] for start in range(0, len(values), size))


def execute_many(connection: Connection, statement: Any, rows: Iterable[Mapping[str, Any]]) -> int:
    """Run a statement once per row, a chunk at a time; returns the rows it touched.

    Compiled once and given to the driver as it is: SQLAlchemy's own way builds every row's
    parameters anew, which takes longer than the database does.
    """
    done = 0
    iterator = iter(rows)
    compiled: Any = None
    while chunk := list(islice(iterator, CHUNK)):
        if compiled is None:
            columns = list(chunk[0])
            compiled = statement.compile(dialect=connection.dialect, column_keys=columns)
        result = connection.exec_driver_sql(compiled.string, _parameters(compiled, chunk))
        done += max(result.rowcount, 0)
    return done


def _parameters(compiled: Any, chunk: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Each row's values as the driver wants them: in order, or by name."""
    constants = {name: value for name, value in compiled.params.items() if name not in chunk[0]}
    if not compiled.positional:
        return [{**constants, **row} for row in chunk]
    names = compiled.positiontup
    if constants or len(names) == 1:
        return [tuple(constants[n] if n in constants else row[n] for n in names) for row in chunk]
    return list(map(itemgetter(*names), chunk))


def _dialect_insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def _engine(address: str | URL, **options: Any) -> Engine:
    # Errors would otherwise quote the values of a statement, addresses among them (SEC5).
    return create_engine(address, hide_parameters=True, **options)


def _sqlite_engine(path: Path) -> Engine:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Made before SQLite makes it, so that it is never readable by others, not even for a moment;
    # SQLite gives its -wal and -shm files the same mode.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, OWNER_ONLY))
    path.chmod(OWNER_ONLY)
    engine = _engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def _settle(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's BEGIN below, not the driver's late one
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not connection.get_execution_options().get(_WRITES):
            connection.exec_driver_sql("BEGIN")
            return
        with _turn(path):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Wait for whoever waits already: SQLite gives its lock to anybody who asks in time.

    Without it a send, which takes the lock for each batch right after the last one, keeps a refusal
    that came in between waiting to its end. The turn is given up once the transaction has begun.
    """
    file = path.with_name(f".{path.name}.turn")
    turn = FileLock(file, mode=OWNER_ONLY, thread_local=False, fallback_to_soft=False)
    # Without a turn SQLite's own lock still says who may write, and its words why nobody can.
    with suppress(OSError, NotImplementedError):
        turn.acquire(timeout=BUSY_SECONDS, poll_interval=0.01)
    try:
        yield
    finally:
        turn.release()


def _migrate(store: Store, home: Home) -> None:
    """Bring the store to today's revision, if it has another; a store without any gets all tables.

    Under the home's lock, so that two processes never do it at once, and after a copy of the file
    beside it, which stays until the next migration.
    """
    if _revision(store) == schema.REVISION:
        return
    with lock.hold(home.lock, MIGRATION_SECONDS):
        revision = _revision(store)
        if revision == schema.REVISION:
            return
        from orchestration.ops import migrations  # takes long to load, and few openings need it

        if revision and revision not in migrations.known():
            raise StoreError(
                f"The operational store has revision {revision}; this code knows up to "
                f"{schema.REVISION}.",
                "Use the newer version of Regulars that made it.",
            )
        _copy_before(store, home)
        with store.write() as connection:
            migrations.upgrade(connection)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file as of one moment, whoever writes into it meanwhile."""
    with closing(sqlite3.connect(source)) as now, closing(sqlite3.connect(target)) as copy:
        now.backup(copy)


def _copy_before(store: Store, home: Home) -> None:
    """Keep a store that holds anything as it was; a server's own backups are its owner's."""
    if store.engine.dialect.name != "sqlite" or not inspect(store.engine).get_table_names():
        return
    partial = home.ops_before_migration.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    partial.touch(OWNER_ONLY)
    try:
        copy_sqlite(home.ops, partial)
    except sqlite3.Error as error:
        partial.unlink(missing_ok=True)  # it would take the last room
        if tells_of_a_full_disk(str(error)):
            raise DiskFullError from error
        raise StoreError(
            f"The operational store cannot be copied before it is brought up to date ({error}).",
            "Check the disk and the permissions of the home, then run again.",
        ) from error
    partial.replace(home.ops_before_migration)


def _revision(store: Store) -> str | None:
    """The revision that the store says it has; None before migrations began, or in a new one."""
    if not inspect(store.engine).has_table(schema.VERSION_TABLE):
        return None
    with store.read() as connection:
        query = text(f"select version_num from {schema.VERSION_TABLE}")
        return connection.execute(query).scalar()


def _cause(error: Exception) -> str:
    """The driver's few words, never the statement: it may carry values."""
    if isinstance(error, OperationalError | DatabaseError):
        return str(error.orig)
    return error.strerror or "unreadable" if isinstance(error, OSError) else "unreadable"
