"""Whether the raw store, which is precious, is there and whole before anything relies on it.

Belongs here: telling a raw store that is gone or damaged from one that never was. Does not belong
here: its tables (ingestion) and the other stores.
"""

from __future__ import annotations

import shutil

import duckdb
from sqlalchemy import exists, select

from ingestion.duckdb import connect
from ingestion.errors import RegularsError, tells_of_a_lock
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import has_store, open_store

BEGIN_ANEW = (
    "Put raw.duckdb back from a backup. Without one, `regulars run --full-refresh` (in Dagster the"
    " job `rebuild`) begins anew from the input and the APIs: rows of files that are no longer"
    " there, and what an API no longer gives, are lost; permissions and ids are kept in ops.sqlite."
)


def require_raw(home: Home, *, begin_anew: bool) -> None:
    """Stop where rows were loaded before and their store is gone or cannot be read.

    Args:
        home: the shop's home.
        begin_anew: a person has said that everything is to be read again.

    Raises:
        RegularsError: the store is damaged, or gone and nobody said to begin anew.
    """
    if home.raw.exists():
        _require_whole(home)
        return
    if not _loaded_before(home):
        return
    if not begin_anew:
        raise RegularsError(
            "The raw store raw.duckdb is gone, though earlier runs loaded rows into it.", BEGIN_ANEW
        )
    # What dlt remembers of an API would make it go on from where it was.
    shutil.rmtree(home.dlt, ignore_errors=True)
    home.create()


def _require_whole(home: Home) -> None:
    try:
        with connect(home.raw, read_only=True) as connection:
            # A cut file opens where its directory lies before the cut. Free blocks at the end of a
            # whole one need never have been written.
            row = connection.execute(
                "select block_size * used_blocks from pragma_database_size()"
            ).fetchone()
        whole = row is not None and home.raw.stat().st_size >= row[0]
    except duckdb.Error as error:
        # Where another process works with it, whoever needs the file waits or says so.
        whole = tells_of_a_lock(str(error))
    if not whole:
        raise RegularsError(
            "The raw store raw.duckdb is damaged and cannot be read; it was left as it is.",
            f"Move it away first. {BEGIN_ANEW}",
        )


def _loaded_before(home: Home) -> bool:
    if not has_store(home):
        return False
    loaded = select(exists().where(schema.run_sources.c.rows_loaded > 0))
    with open_store(home) as store, store.read() as connection:
        return bool(connection.execute(loaded).scalar_one())
