"""The warehouse as models read it, for what runs a model's or a test's own SQL once more.

Belongs here: the session. Does not belong here: what is asked in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from ingestion.duckdb import connect, literal
from ingestion.functions.registration import register
from orchestration.home.layout import Home


@contextmanager
def as_models_read_it(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session that reads the warehouse with what models have beside it, and nothing else of this
    machine.

    Raises:
        duckdb.Error: there is no warehouse, or another process holds it.
    """
    with connect(home.warehouse, read_only=True) as connection:
        if home.raw.exists():
            connection.execute(f"attach {literal(home.raw)} as raw (read_only)")
        register(connection)
        folders = ", ".join(literal(each) for each in (home.ops_export, home.science))
        connection.execute(
            f"set timezone = 'UTC'; set allowed_directories = [{folders}];"
            " set enable_external_access = false; set lock_configuration = true"
        )
        yield connection
