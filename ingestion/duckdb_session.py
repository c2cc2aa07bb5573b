"""Settings that every DuckDB connection of ours shares.

Belongs here: what a session must not do, whatever it is for. Does not belong here: opening files.
"""

from __future__ import annotations

import duckdb


def silence(connection: duckdb.DuckDBPyConnection) -> None:
    """No progress bar: it is drawn straight to the terminal, over what we say there."""
    connection.execute("set enable_progress_bar = false")
