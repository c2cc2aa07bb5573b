"""The one way to open the published file, and the read-only SQL of `regulars sql`.

Belongs here: locked-down connections and the refusal of anything but a question. Does not belong
here: what anybody asks.

A connection sees the file as it was when it was opened, also across a swap. Open, read, close:
a process that keeps a connection open gets the old file again from a second one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ingestion.duckdb import connect, literal
from ingestion.errors import RegularsError, UsageError
from ingestion.memory import memory_limit
from orchestration.home.kind import home_option, is_demo, read_mark
from orchestration.home.layout import Home

# `read_only` alone is no sandbox: it reads any file and writes with COPY (RELIABILITY X6).
LOCKED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    # Else a name that is no table is looked for among the variables of this very process.
    "python_enable_replacements": "false",
}
# A file of views over the published one, and the name of the latter in a session of it
OVERLAY, BASE = "overlay.duckdb", "base"
QUERY_SECONDS = 60.0
QUERY_MEMORY = "1GB"
# What DuckDB says of a file that is cut, overwritten or not its own.
_DAMAGE = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException)
GUESSES = ("Did you mean", "Candidate bindings")  # how DuckDB begins a line that helps
# Functions that a SELECT may call and that do something, read this process's memory, or run a text
# as SQL.
_DEEDS = frozenset(
    {
        *("checkpoint", "force_checkpoint", "enable_logging", "disable_logging"),
        *("enable_profiling", "disable_profiling", "truncate_duckdb_logs", "write_log"),
        *("arrow_scan", "arrow_scan_dumb", "pandas_scan", "python_map_function", "seq_scan"),
        *("query", "query_table", "json_execute_serialized_sql"),
    }
)
_QUESTIONS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


def not_published(home: Home) -> RegularsError:
    """The error of whoever asks for what is published where nothing is yet."""
    todo = "Run `regulars demo` or `regulars run --input FOLDER` first."
    if read_mark(home):
        todo = f"Run `regulars {'demo' if is_demo(home) else 'run'}{home_option(home)}` first."
    return RegularsError(f"Nothing is published in {home.root} yet.", todo)


@contextmanager
def open_published(home: Home, *, at_most: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file read-only, without access to any other file and with fixed settings.

    Raises:
        RegularsError: nothing is published yet, or the file is damaged.
    """
    if not home.published.exists():
        raise not_published(home)
    try:
        with open_locked(home.published, at_most) as connection:
            yield connection
    except _DAMAGE as error:
        raise RegularsError(
            f"The published file {home.published} is damaged and cannot be read.",
            "Move it away and run again, which publishes a new one.",
        ) from error


@contextmanager
def open_locked(path: Path, at_most: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """Open any DuckDB file the way the published one is opened."""
    config = dict(LOCKED)
    if path.name == OVERLAY:
        del config["enable_external_access"]  # once its base is attached
    connection = connect(path, read_only=True, at_most=at_most, **config)
    try:
        if path.name == OVERLAY:
            _attach_locked(connection, path)
        _lock(connection)
        yield connection
    finally:
        connection.close()


def base_of(overlay: Path) -> Path:
    """Where the file lies that an overlay is laid over: beside it."""
    return overlay.with_name(f"{BASE}.duckdb")


def attach_base(connection: duckdb.DuckDBPyConnection, overlay: Path) -> None:
    """Let a session of an overlay see its base."""
    connection.execute(f"attach if not exists {literal(base_of(overlay))} as {BASE} (read_only)")


def _attach_locked(connection: duckdb.DuckDBPyConnection, overlay: Path) -> None:
    """Attach the base and nothing after it; a second session of this process shares both."""
    attach_base(connection, overlay)
    with suppress(duckdb.InvalidInputException):
        connection.execute("set enable_external_access = false")


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Fix the settings; a file that this process has open already shares them, fixed before."""
    with suppress(duckdb.InvalidInputException):
        connection.execute("set lock_configuration = true")
    row = connection.execute("select current_setting('lock_configuration')").fetchone()
    if row != (True,):
        raise RegularsError("The published file could not be opened safely.", "Run again.")


@dataclass(frozen=True)
class QueryResult:
    """What a question brought: column names, rows, and whether rows were left off."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool


def query_published(
    home: Home, sql: str, *, max_rows: int | None = None, timeout_seconds: float = QUERY_SECONDS
) -> QueryResult:
    """Answer one question (SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN …).

    Raises:
        UsageError: more or less than one statement, not a question, or wrong SQL.
        RegularsError: nothing is published yet, or it took too long or too much memory.
    """
    require_question(sql)
    with open_published(home, at_most=QUERY_MEMORY) as connection:
        return _answer(connection, sql, max_rows, timeout_seconds)


def query_file(
    path: Path, sql: str, *, max_rows: int | None = None, timeout_seconds: float = QUERY_SECONDS
) -> QueryResult:
    """Answer one question as `query_published` does, to another file of the same kind.

    Raises:
        UsageError: more or less than one statement, not a question, or wrong SQL.
        RegularsError: it took too long or too much memory.
    """
    require_question(sql)
    with open_locked(path, QUERY_MEMORY) as connection:
        return _answer(connection, sql, max_rows, timeout_seconds)


def _answer(
    connection: duckdb.DuckDBPyConnection, sql: str, max_rows: int | None, timeout_seconds: float
) -> QueryResult:
    timer = threading.Timer(timeout_seconds, connection.interrupt)
    timer.start()
    try:
        cursor = connection.execute(sql)
        columns = tuple(column[0] for column in cursor.description or ())
        rows = cursor.fetchall() if max_rows is None else cursor.fetchmany(max_rows + 1)
    except duckdb.InterruptException as error:
        raise RegularsError(
            f"The query was stopped after {timeout_seconds:g} seconds.",
            "Narrow it down, or read the Parquet copies with an engine of your own.",
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise RegularsError(
            f"The query needs more than {memory_limit(QUERY_MEMORY)} of memory.",
            "Narrow it down, or read the Parquet copies with an engine of your own.",
        ) from error
    except duckdb.PermissionException as error:
        raise UsageError(
            "The query reaches outside the published file.",
            "Only tables of the published file can be read; `regulars tables` lists them.",
        ) from error
    except _DAMAGE:
        raise
    except duckdb.Error as error:
        raise UsageError(
            _first_line(error), f"{_suggestion(error)}`regulars tables` lists what is there."
        ) from error
    finally:
        timer.cancel()
    truncated = max_rows is not None and len(rows) > max_rows
    return QueryResult(columns, rows[:max_rows] if truncated else rows, truncated)


def require_question(sql: str) -> None:
    """Refuse anything that DuckDB's own parser does not call a question.

    Raises:
        UsageError: unreadable, not exactly one statement, or a statement that does something.
    """
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise UsageError(_first_line(error), "Mend the SQL and try again.") from error
    if len(statements) != 1:
        raise UsageError(f"This holds {len(statements)} statements.", "Ask one question at a time.")
    if statements[0].type not in _QUESTIONS:
        raise UsageError(
            f"{statements[0].type.name} is not a question; the published file is read-only.",
            "Use SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN.",
        )
    if deeds := sorted(_DEEDS & _functions(sql, statements[0].query)):
        raise UsageError(
            f"{deeds[0]}() is not a question; the published file is read-only.", "Leave it out."
        )


def _functions(sql: str, statement: str) -> set[str]:
    """Names of the functions that a question calls, in small letters, as DuckDB's parser reads it.

    What the parser cannot write as a tree (EXPLAIN) may call every word that stands in it.
    """
    with connect() as connection:
        row = connection.execute(
            "select json_extract_string(tree, '$..function_name')"
            " from (select json_serialize_sql(?::varchar) as tree)"
            " where json_extract_string(tree, '$.error') = 'false'",
            [statement],
        ).fetchone()
    names = re.findall(r"\w+", sql) if row is None else row[0]
    return {each.lower() for each in names}


def read_build(path: Path) -> tuple[str, str, datetime]:
    """Which build a published or candidate file is: build_id, run_id, as_of.

    Raises:
        RegularsError: the file does not say which build it is.
    """
    with open_locked(path) as connection:
        row = connection.execute("select build_id, run_id, as_of from ops.build").fetchone()
    if row is None:
        raise RegularsError(f"{path.name} does not say which build it is.", "Run again.")
    return row[0], row[1], row[2]


def _suggestion(error: Exception) -> str:
    """DuckDB's own guess of the name that was meant; names of tables and columns, never values."""
    guesses = [line for line in str(error).splitlines() if line.startswith(GUESSES)]
    return f"{guesses[0].strip()} " if guesses else ""


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
