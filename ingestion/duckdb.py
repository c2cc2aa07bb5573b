"""What every DuckDB session and every piece of SQL text of ours shares.

Belongs here: what a session must not do, whatever it is for; quoting, naming, looking for a
table. Does not belong here: how much memory there is for it (memory.py), what any other statement
says.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from ingestion.memory import memory_limit, spill_folder

# Nothing is fetched; a progress bar would be drawn straight to the terminal, over what we say.
_SETTINGS = (
    "set autoinstall_known_extensions = false; set autoload_known_extensions = false; "
    "set enable_progress_bar = false"
)


def _spill(path: Path | None, *, read_only: bool) -> dict[str, object]:
    """Where a session is told to put what does not fit into memory.

    A file that is written has a folder beside it already, and one process that holds it; whoever
    else shared one would write into each other's files.
    """
    if path is not None and not read_only:
        return {}
    folder = spill_folder(path)
    return {} if folder is None else {"temp_directory": folder}


def limit_memory(connection: duckdb.DuckDBPyConnection, own: str = "") -> None:
    """Hold an open session to its limit.

    Raises:
        duckdb.OutOfMemoryException: it holds more already.
    """
    if limit := memory_limit(own):
        connection.execute(f"set memory_limit = {literal(limit)}")


def connect(
    path: Path | None = None,
    *,
    read_only: bool = False,
    at_most: str = "",
    **settings: object,
) -> duckdb.DuckDBPyConnection:
    """A DuckDB session that fetches nothing and draws nothing, within its memory.

    Args:
        path: the file; None for a database in memory.
        read_only: whether the file is only read.
        at_most: how much memory it may hold, such as `1GB`, where the settings allow more.
        settings: of the database, by DuckDB's names.

    Raises:
        duckdb.Error: the file is missing, held by another process, or damaged.
    """
    config = _spill(path, read_only=read_only)
    connection = duckdb.connect(str(path or ":memory:"), read_only=read_only, config=config)
    # A file that this process has open with its settings locked was given these before.
    with suppress(duckdb.InvalidInputException):
        connection.execute(_SETTINGS)
        limit_memory(connection, at_most)
        for setting, value in settings.items():
            connection.execute(f"set {name(setting)} = {literal(str(value))}")
    return connection


def literal(value: str | Path) -> str:
    """A SQL string literal; a path counts as its text."""
    return "'" + str(value).replace("'", "''") + "'"


def name(*parts: str) -> str:
    """A SQL identifier, whatever its characters; several parts are joined by dots."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def let(letter: str, value: str, result: str) -> str:
    """SQL: `result` with `letter` standing for `value`, which is worked out once."""
    return f"list_transform([{value}], lambda {letter}: {result})[1]"


def dicts(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows of a question that was asked, by column."""
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the session sees a table of that schema and name."""
    query = "select 1 from duckdb_tables() where schema_name = ? and table_name = ?"
    return connection.execute(query, [schema, table]).fetchone() is not None


def has_column(connection: duckdb.DuckDBPyConnection, schema: str, table: str, column: str) -> bool:
    """Whether the session sees a column of that name in that table."""
    query = (
        "select 1 from duckdb_columns()"
        " where schema_name = ? and table_name = ? and column_name = ?"
    )
    return connection.execute(query, [schema, table, column]).fetchone() is not None
