"""What every DuckDB session and every piece of SQL text of ours shares.

Belongs here: what a session must not do, whatever it is for; quoting and naming. Does not belong
here: what a statement says.
"""

from __future__ import annotations

import duckdb


def silence(connection: duckdb.DuckDBPyConnection) -> None:
    """No progress bar: it is drawn straight to the terminal, over what we say there."""
    connection.execute("set enable_progress_bar = false")


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A SQL identifier, whatever its characters."""
    return '"' + name.replace('"', '""') + '"'


def let(name: str, value: str, result: str) -> str:
    """SQL: `result` with `name` standing for `value`, which is worked out once."""
    return f"list_transform([{value}], lambda {name}: {result})[1]"
