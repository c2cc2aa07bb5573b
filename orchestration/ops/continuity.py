"""Whether the operational store is the one of this home, and beginning it anew when it is gone.

Belongs here: telling a lost, foreign or damaged store from the one that belongs, and a person's
word that it is gone for good. Does not belong here: opening it (`store`), backups.

Opt-outs given by hand are nowhere else. A home whose store does not know the run that published, or
that holds data and no store at all, therefore plans and sends nothing until the file is put back or
a person says that it is to begin anew.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import suppress
from datetime import datetime

import duckdb
from sqlalchemy import func, select

from ingestion.errors import RegularsError, UsageError
from orchestration.home.layout import Home
from orchestration.home.sqlite_file import read_only_sqlite
from orchestration.ops import schema
from orchestration.ops.runs import run_status
from orchestration.ops.store import URL_VARIABLE, Store, StoreError, has_store, open_store, upsert
from orchestration.published.reader import read_build

BEGUN_ANEW = "begun_anew"
ONLY_IN_A_BACKUP = (
    "consents and opt-outs that were recorded by hand (`regulars consent`)",
    "what each destination has, so that a removal reaches whoever should leave it",
    "what was delivered, held back and approved",
    "the ids of people who were merged or split by hand or long ago",
)
_HINT = (
    "Put ops.sqlite back from a copy. If there is none, `regulars ops begin-anew` says what is"
    " lost with it and lets the next run begin a new one."
)


def check_continuity(home: Home, *, begins_run: bool = False) -> None:
    """Refuse a home whose operational store is gone, damaged or not its own; makes no file.

    Args:
        home: the shop's home.
        begins_run: a run begins, which fills a store that was begun anew; until then the store
            knows of nobody, and plans and syncs would take that for the truth.

    Raises:
        StoreError: it is; nothing may be planned or sent.
    """
    problem = what_is_wrong(home)
    if problem:
        raise StoreError(f"{problem} Nothing is planned or sent.", _HINT)
    published = _published_run(home)
    if published and not begins_run:
        with open_store(home) as store:
            if run_status(store, published) is None:
                raise StoreError(
                    "The operational store is begun anew and still empty. Nothing is planned or"
                    " sent.",
                    "Run `regulars run` first: it reads again what the sources say.",
                )


def what_is_wrong(home: Home) -> str:
    """A sentence about the store that cannot be trusted; empty where it can, or nothing is here."""
    if not has_store(home):
        has_data = home.published.exists() or home.raw.exists()
        return f"The operational store {home.ops} is gone." if has_data else ""
    if not os.environ.get(URL_VARIABLE) and is_damaged(home):
        return f"The operational store {home.ops} is damaged."
    build, published = _published_build(home)
    with open_store(home) as store:
        if published and not _knows(store, published, build):
            return "The operational store does not know the run that published here."
        if not published and home.raw.exists() and not _has_history(store):
            return "The operational store is empty although this home holds data."
    return ""


def is_damaged(home: Home) -> bool:
    """Whether SQLite itself finds the file broken."""
    try:
        with read_only_sqlite(home.ops) as connection:
            row = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return not isinstance(error, sqlite3.OperationalError) or "malformed" in str(error)
    return row is None or row[0] != "ok"


def begin_anew(home: Home, *, person: str, reason: str, at: datetime) -> list[str]:
    """Let a new store take the place of the lost one; returns what only a backup brings back.

    A damaged file is put aside, never deleted. Only to be called under the home's lock.

    Raises:
        UsageError: the store is there and knows this home, or nobody answers for it.
    """
    if not person.strip() or not reason.strip():
        raise UsageError("Beginning anew needs who says so and why.", "Give --by and --reason.")
    if not what_is_wrong(home):
        raise UsageError(
            "The operational store is there and knows what is published; nothing is to begin anew.",
            "`regulars doctor` says how it is.",
        )
    if not os.environ.get(URL_VARIABLE) and home.ops.exists() and is_damaged(home):
        for path in home.root.glob("ops.sqlite*"):
            if ".damaged-" not in path.name:
                path.rename(path.with_name(f"{path.name}.damaged-{at:%Y%m%dT%H%M%S}"))
    record = {
        "by": person.strip(),
        "reason": reason.strip(),
        "at": at.isoformat(),
        "published_run_id": _published_run(home),
    }
    with open_store(home) as store, store.write() as connection:
        upsert(connection, schema.meta, [{"key": BEGUN_ANEW, "value": json.dumps(record)}])
    return list(ONLY_IN_A_BACKUP)


def _published_run(home: Home) -> str:
    return _published_build(home)[1]


def _published_build(home: Home) -> tuple[str, str]:
    """The build and the run that published; empty where nothing is, or it cannot be read."""
    if home.published.exists():
        with suppress(duckdb.Error, RegularsError):
            return read_build(home.published)[:2]
    return "", ""


def _may_have_built(store: Store, run_id: str, build_id: str) -> bool:
    """Whether the run audited this build here; run ids of two homes may be the same."""
    audits = schema.audits.c
    with store.read() as connection:
        builds = connection.execute(select(audits.build_id).where(audits.run_id == run_id))
        known: set[str] = set(builds.scalars())
    return not known or build_id in known


def _knows(store: Store, run_id: str, build_id: str) -> bool:
    if _begun_anew(store) == run_id:
        return True
    return run_status(store, run_id) is not None and _may_have_built(store, run_id, build_id)


def _has_history(store: Store) -> bool:
    with store.read() as connection:
        runs = connection.execute(select(func.count()).select_from(schema.runs)).scalar_one()
    return bool(runs) or _begun_anew(store) is not None


def _begun_anew(store: Store) -> str | None:
    """The run that had published when somebody last said that the store is to begin anew."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == BEGUN_ANEW)
    with store.read() as connection:
        text = connection.execute(query).scalar()
    return str(json.loads(text)["published_run_id"]) if text else None
