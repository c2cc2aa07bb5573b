"""What waits for a person to look at: words of sources that nobody has told us, refusals of nobody.

Belongs here: noting them, and settling the facts of a word once the list knows it. Does not belong
here: what a word means (`status_words`) or who is told (`health`, a run's lines).

A word that nobody has told us counts as a no. That is a reading, not a fact: once the list knows
the word, what was read from it becomes what it says, or nothing where it says no no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from orchestration.ops import schema
from orchestration.ops.permission.consents import receipt_id
from orchestration.ops.permission.meanings import UNKNOWN_OPT_OUT, shown_word
from orchestration.ops.permission.status_words import REFUSALS, status_words
from orchestration.ops.store import Store, insert_new, to_micros, upsert

NOBODY = "refusal of nobody"
UNREAD_FILE = "unread file"
_MARK = re.compile(r" \((?P<word>[^()]*)\)$")


@dataclass(frozen=True)
class UnknownWord:
    """A word in a column, in how many statements (of one identifier at one moment), and what it
    counts as until somebody tells us."""

    said_in: str
    word: str
    row_count: int
    counts_as: str = UNKNOWN_OPT_OUT


def mark(word: str | None) -> str:
    """The end of a fact's source that names the word it was read from."""
    # Brackets of another kind: without any, `(yes)` would be settled as a yes.
    return f" ({shown_word(word).replace('(', '[').replace(')', ']')})"


def noted(store: Store) -> list[UnknownWord]:
    """What waits, the most rows first."""
    table = schema.unknown_words.c
    query = select(table.said_in, table.word, table.row_count, table.counts_as).order_by(
        table.row_count.desc(), table.said_in, table.word
    )
    with store.read() as connection:
        return [UnknownWord(*row) for row in connection.execute(query).tuples()]


def note(connection: Connection, words: Iterable[UnknownWord], at: datetime) -> int:
    """Add to what waits, in the caller's transaction; settle what the list knows by now.

    Returns how many facts were read anew.
    """
    table = schema.unknown_words
    known = {
        (row.said_in, row.word): row.row_count for row in connection.execute(select(table)).all()
    }
    counts: dict[tuple[str, str], UnknownWord] = {}
    for each in words:
        key = (each.said_in, each.word)
        before = counts[key].row_count if key in counts else 0
        counts[key] = UnknownWord(*key, before + each.row_count, each.counts_as)
    rows = [
        {
            "said_in": each.said_in,
            "word": each.word,
            "counts_as": each.counts_as,
            # The same rows may be read again, so what is known is never added to.
            "row_count": max(each.row_count, known.get(key, 0)),
            "noted_at": to_micros(at),
        }
        for key, each in counts.items()
    ]
    upsert(connection, table, rows)
    return _settle(connection)


def _settle(connection: Connection) -> int:
    """Read anew the facts of words that the list knows by now."""
    suppressions, words = schema.suppressions, schema.unknown_words
    rows = connection.execute(
        select(suppressions).where(suppressions.c.reason == UNKNOWN_OPT_OUT)
    ).mappings()
    settled, added = [], []
    for row in rows.all():
        mark_match = _MARK.search(row["source"])
        meaning = status_words().meaning(mark_match.group("word")) if mark_match else None
        if mark_match is None or not mark_match.group("word") or meaning is None:
            continue
        settled.append(row["suppression_id"])
        if meaning in REFUSALS:
            fact = {**row, "reason": str(meaning), "source": row["source"][: mark_match.start()]}
            parts = (str(value) for name, value in fact.items() if name != "suppression_id")
            added.append({**fact, "suppression_id": receipt_id("suppression", *parts)})
    insert_new(connection, suppressions, added)
    for suppression_id in settled:
        connection.execute(
            delete(suppressions).where(suppressions.c.suppression_id == suppression_id)
        )
    for said_in, word in connection.execute(select(words.c.said_in, words.c.word)).tuples().all():
        if said_in not in (NOBODY, UNREAD_FILE) and status_words().meaning(word) is not None:
            connection.execute(
                delete(words).where(words.c.said_in == said_in, words.c.word == word)
            )
    return len(added)
