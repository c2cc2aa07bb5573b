"""Sources that a run began to read and whose refusals are not all known yet.

Belongs here: marking a source when a run begins to read it, and the sentence that stops sending
while a mark stands. Does not belong here: reading the refusals (`consent_facts`).

A source is marked before anything of it is read. The mark is taken out in the transaction that
records the facts of a source that was read to its end, so a run that stopped or died in between
leaves it: a refusal may stand in what was not read, and the older published file knows nothing of
it. The next run that reads the source takes the mark out.

A store out of a backup is behind in every source, so all of them are marked.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from ingestion.errors import RegularsError
from orchestration.ops import schema
from orchestration.ops.permission.fact_queries import QUERIES
from orchestration.ops.store import Store, upsert

HINT = "Mend the input or the settings and run again (`regulars run`); then `regulars sync` sends."
_SPEAKS_OF_PERMISSION = {query.source_table.split(".")[0] for query in QUERIES}
_RESTORED = "restored:"
_unread = schema.unread_sources


def begin_reading(store: Store, source: str, run_id: str) -> None:
    """Mark the source, where it may hold refusals at all."""
    if f"raw_{source}" in _SPEAKS_OF_PERMISSION:
        with store.write() as connection:
            upsert(connection, _unread, [{"source": source, "run_id": run_id, "is_read": False}])


def finish_reading(store: Store, source: str) -> None:
    """The source is wholly in raw; what it says of permission can be recorded."""
    with store.write() as connection:
        connection.execute(update(_unread).where(_unread.c.source == source).values(is_read=True))


def forget_read(connection: Connection) -> None:
    """The facts of all that lies in raw are recorded, in the caller's transaction."""
    connection.execute(delete(_unread).where(_unread.c.is_read))


def mark_restored(store: Store, made_at: str) -> None:
    """Mark every source of a store out of a backup: it knows no refusal since `made_at` (ISO)."""
    with store.write() as connection:
        rows = [
            {
                "source": name.removeprefix("raw_"),
                "run_id": f"{_RESTORED}{made_at}",
                "is_read": False,
            }
            for name in sorted(_SPEAKS_OF_PERMISSION)
        ]
        upsert(connection, _unread, rows)


def has_unrecorded(store: Store) -> bool:
    """Whether a source lies in raw whose facts nobody has recorded yet."""
    with store.read() as connection:
        return (
            connection.execute(select(_unread.c.source).where(_unread.c.is_read)).first()
            is not None
        )


def what_is_unread(store: Store) -> str:
    """A sentence about the refusals that are not known yet; empty where all are."""
    query = select(_unread.c.source, _unread.c.run_id).order_by(_unread.c.source)
    with store.read() as connection:
        rows = connection.execute(query).tuples().all()
    if not rows:
        return ""
    restored = [run_id for _, run_id in rows if run_id.startswith(_RESTORED)]
    if restored:
        moment = restored[0].removeprefix(_RESTORED)
        return (
            f"This home was restored from a backup of {moment} UTC, and its sources were not all"
            " read since, so refusals that came later are not known yet."
        )
    sources = " and ".join(source for source, _ in rows)
    runs = " and ".join(sorted({run_id for _, run_id in rows}))
    return (
        f"The run {runs} stopped before it had read all of {sources}, so refusals that stand there"
        " are not known yet."
    )


def check_refusals_known(store: Store) -> None:
    """Refuse to send while refusals may be unknown.

    Raises:
        RegularsError: a run stopped before it had recorded what a source says of permission.
    """
    problem = what_is_unread(store)
    if problem:
        raise RegularsError(f"{problem} Nothing is sent.", HINT)
