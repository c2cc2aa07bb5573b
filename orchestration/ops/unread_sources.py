"""Sources that a run began to read and whose refusals are not all known yet.

Belongs here: marking a source when a run begins to read it, and the sentence that stops sending
while a mark stands. Does not belong here: reading the refusals (`consent_facts`).

A source is marked before anything of it is read. The mark is taken out in the transaction that
records the facts of a source that was read to its end, so a run that stopped or was killed before
leaves it: a refusal may stand in what was not read, and the older published file knows nothing of
it. The next run that reads the source takes the mark out.

A store out of a backup is behind in every source that it knows. Each of them has a second mark,
which a run takes out only where it found something of that source to read: an input without its
files says nothing of the refusals in them. A person may take the rest out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from ingestion.errors import RegularsError, UsageError
from orchestration.ops import schema
from orchestration.ops.permission.fact_queries import QUERIES
from orchestration.ops.store import Store, append, insert_new, upsert

HINT = "Mend the input or the settings and run again (`regulars run`); then `regulars sync` sends."
SPEAK_OF_PERMISSION = tuple(
    sorted({query.source_table.split(".")[0].removeprefix("raw_") for query in QUERIES})
)
ACCEPTED_RESTORE = "accepted_restore:"
_RESTORED = "restored:"
_unread = schema.unread_sources


def begin_reading(store: Store, source: str, run_id: str) -> None:
    """Mark the source, where it may hold refusals at all."""
    if source in SPEAK_OF_PERMISSION:
        with store.write() as connection:
            upsert(connection, _unread, [{"source": source, "run_id": run_id, "is_read": False}])


def finish_reading(store: Store, source: str) -> None:
    """The source is wholly in raw; what it says of permission can be recorded."""
    with store.write() as connection:
        connection.execute(update(_unread).where(_unread.c.source == source).values(is_read=True))


def forget_read(connection: Connection) -> None:
    """The facts of all that lies in raw are recorded, in the caller's transaction."""
    connection.execute(delete(_unread).where(_unread.c.is_read))


def mark_restored(store: Store, made_at: str, sources: Iterable[str]) -> None:
    """Mark these sources of a store out of a backup: it knows no refusal of theirs since then.

    Args:
        store: the store.
        made_at: the moment of the backup, ISO. A mark of an earlier restore keeps its own.
        sources: those of which the backup holds anything.
    """
    marks = [
        {"source": f"{_RESTORED}{source}", "run_id": made_at, "is_read": False}
        for source in sorted(set(sources) & set(SPEAK_OF_PERMISSION))
    ]
    with store.write() as connection:
        insert_new(connection, _unread, marks)
        connection.execute(
            update(_unread).where(_unread.c.source.startswith(_RESTORED)).values(is_read=False)
        )


def waits_since_restore(store: Store, source: str) -> bool:
    """Whether nothing of the source was read since the store came out of a backup."""
    query = select(_unread.c.source).where(
        _unread.c.source == f"{_RESTORED}{source}", _unread.c.is_read.is_(False)
    )
    with store.read() as connection:
        return connection.execute(query).first() is not None


def finish_restoring(store: Store, source: str) -> None:
    """The source was there and is wholly in raw again; its facts can be recorded."""
    finish_reading(store, f"{_RESTORED}{source}")


def accept_restore(store: Store, *, person: str, reason: str, at: datetime) -> list[str]:
    """A person answers for the refusals that nobody reads any more; returns the sources.

    Raises:
        UsageError: no source waits since a restore, or nobody answers for it.
    """
    if not person.strip() or not reason.strip():
        raise UsageError(
            "Accepting a restore needs who says so and why.", "Give --by and --reason."
        )
    with store.write() as connection:
        rows = _restored(connection)
        if not rows:
            raise UsageError(
                "No source waits to be read since a restore; there is nothing to accept.",
                "`regulars doctor` says what else stops sending.",
            )
        sources = [source for source, _ in rows]
        record = {
            "by": person.strip(),
            "reason": reason.strip(),
            "at": at.isoformat(),
            "made_at": min(moment for _, moment in rows),
            "sources": sources,
        }
        row = {"key": f"{ACCEPTED_RESTORE}{at.isoformat()}", "value": json.dumps(record)}
        append(connection, schema.meta, [row])
        connection.execute(delete(_unread).where(_unread.c.source.startswith(_RESTORED)))
    return sources


def has_unrecorded(store: Store) -> bool:
    """Whether a source lies in raw whose facts nobody has recorded yet."""
    with store.read() as connection:
        return (
            connection.execute(select(_unread.c.source).where(_unread.c.is_read)).first()
            is not None
        )


def what_is_unread(store: Store) -> str:
    """A sentence about the refusals that are not known yet; empty where all are."""
    stopped = (
        select(_unread.c.source, _unread.c.run_id)
        .where(~_unread.c.source.startswith(_RESTORED))
        .order_by(_unread.c.source)
    )
    with store.read() as connection:
        restored = _restored(connection)
        rows = connection.execute(stopped).tuples().all()
    sentences = []
    if restored:
        sentences.append(
            f"This home was restored from a backup of {min(moment for _, moment in restored)} UTC,"
            f" and nothing was read since of {_and(source for source, _ in restored)}, so refusals"
            " that came later are not known yet: run with an input that has them and with those"
            " sources switched on, or accept it for what is gone for good (`regulars ops"
            " accept-restore`)."
        )
    if rows:
        sentences.append(
            f"The run {_and(sorted({run_id for _, run_id in rows}))} stopped before it had read all"
            f" of {_and(source for source, _ in rows)}, so refusals that stand there are not known"
            " yet."
        )
    return " ".join(sentences)


def check_refusals_known(store: Store) -> None:
    """Refuse to send while refusals may be unknown.

    Raises:
        RegularsError: a run stopped before it had recorded what a source says of permission.
    """
    problem = what_is_unread(store)
    if problem:
        raise RegularsError(f"{problem} Nothing is sent.", HINT)


def _restored(connection: Connection) -> list[tuple[str, str]]:
    """The sources that wait since a restore, by name, each with the moment of its backup."""
    query = (
        select(_unread.c.source, _unread.c.run_id)
        .where(_unread.c.source.startswith(_RESTORED))
        .order_by(_unread.c.source)
    )
    rows = connection.execute(query).tuples()
    return [(source.removeprefix(_RESTORED), moment) for source, moment in rows]


def _and(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
