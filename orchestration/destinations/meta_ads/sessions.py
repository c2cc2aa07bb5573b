"""Numbers and tickets of Meta's sessions, and when the outcome of one session can be believed.

A session is one batch of one verb. Its number is made of the sync run and the batch, so that the
same batch has the same number, and a later intent has a higher one; it says itself whether it adds
or removes. Meta promises no order: an earlier session that ends later undoes a newer one.

Belongs here: pure rules. Does not belong here: the calls (`api`), rows (`destination`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Verb = Literal["DELETE", "POST"]
PATIENCE = timedelta(days=2)  # Meta usually needs up to 24 hours
_YEAR_ONE = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
# A number below 2**63: seconds, part of a hash of the sync run, batch, try, verb.
_HASH_BITS, _BATCH_BITS, _TRY_BITS, _VERB_BITS = 5, 14, 12, 1
_BATCH_SHIFT = _TRY_BITS + _VERB_BITS
_RUN_SHIFT = _BATCH_BITS + _BATCH_SHIFT
# Meta's page names the field, not its words; any other word is taken for not yet.
DONE = frozenset({"complete", "completed", "done", "finished"})


@dataclass(frozen=True, slots=True)
class Session:
    """What Meta says of a session. Moments are in seconds since 1970, 0 where there is none."""

    number: int
    stage: str
    received: int
    invalid: int
    begun: int
    ended: int
    matched: int = 0

    @property
    def is_done(self) -> bool:
        """Whether all of it is applied."""
        return self.stage.lower() in DONE


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an accepted row is asked about by.

    Attributes:
        audience: its id.
        number: of the session.
        rows: that were handed over in it.
        is_alone: whether nothing of the same sync run can undo it.
    """

    audience: str
    number: int
    rows: int
    is_alone: bool

    def __str__(self) -> str:
        """As the outbox keeps it."""
        return f"{self.audience}:{self.number}:{self.rows}:{int(self.is_alone)}"

    @classmethod
    def read(cls, text: str) -> Ticket:
        """From what the outbox kept."""
        audience, number, rows, is_alone = text.split(":")
        return cls(audience, int(number), int(rows), is_alone == "1")


def matched_percent(sessions: Iterable[Session]) -> int | None:
    """Of what additions that are done handed over, how much in a hundred Meta matched."""
    added = [each for each in sessions if each.number & 1 and each.is_done]
    received = sum(each.received for each in added)
    matched = sum(each.matched for each in added)
    return round(100 * matched / received) if received and matched else None


def first_number(sync_run_id: str, started_at: datetime, batch: int) -> int:
    """The number of a batch's first try, by which it removes; the next one adds.

    Args:
        sync_run_id: of the batch.
        started_at: when the sync run began, naive UTC.
        batch: its number within the run.
    """
    seconds = int(started_at.replace(tzinfo=UTC).timestamp()) - _YEAR_ONE
    digest = hashlib.sha256(sync_run_id.encode()).digest()[0] % (1 << _HASH_BITS)
    run = max(seconds, 0) << _HASH_BITS | digest
    return run << _RUN_SHIFT | batch % (1 << _BATCH_BITS) << _BATCH_SHIFT


def number_of(entries: Iterable[tuple[str, ...]]) -> int:
    """The number of the first try to erase a person, below that of any sync run."""
    digest = hashlib.sha256(repr(list(entries)).encode()).digest()
    return int.from_bytes(digest[:5]) << _BATCH_SHIFT


def free_numbers(first: int, taken: Collection[int]) -> Iterator[tuple[int, int]]:
    """Pairs of numbers for a batch that no session has: one to remove, one to add."""
    for attempt in range(1 << _TRY_BITS):
        number = first | attempt << _VERB_BITS
        if number not in taken and number | 1 not in taken:
            yield number, number | 1


def has_removed(first: int, sessions: Iterable[Session]) -> bool:
    """Whether an earlier try of a batch has done all its removals."""
    return any(
        session.is_done and not session.invalid
        for session in sessions
        if not session.number & 1 and session.number >> _BATCH_SHIFT == first >> _BATCH_SHIFT
    )


def erasure(first: int, sessions: Collection[Session]) -> str:
    """What is known of an erasure: `begin` (again), `accepted` (not yet), or `delivered`.

    Whatever was being added when it began may be applied after it. Nothing is added later.
    """
    tries = [each for each in sessions if each.number >> _BATCH_SHIFT == first >> _BATCH_SHIFT]
    if not tries:
        return "begin"
    own = max(tries, key=lambda session: session.number)
    since = own.begun - PATIENCE.total_seconds()
    rivals = [each for each in sessions if each.number & 1 and since <= each.begun <= own.begun]
    if not all(each.is_done for each in (*tries, *rivals)):
        return "accepted"
    is_last = all(each.ended < own.ended for each in rivals)
    return "delivered" if is_last and not own.invalid else "begin"


def verdict(ticket: Ticket, sessions: Iterable[Session]) -> str:
    """What is known of a ticket's rows: `delivered`, `accepted` (not yet), or why to send again."""
    known = {session.number: session for session in sessions}
    own = known.get(ticket.number)
    if own is None or not own.is_done:
        return "accepted"
    if own.invalid:
        return "invalid_entries"
    if own.received < ticket.rows:
        return "not_received"
    rivals = [other for other in known.values() if _may_undo(other, own, ticket)]
    if not all(other.is_done for other in rivals):
        return "accepted"
    is_last = all(other.ended < own.ended for other in rivals)  # in whole seconds
    return "delivered" if is_last else "overtaken"


def _may_undo(other: Session, own: Session, ticket: Ticket) -> bool:
    """Whether a session is of an earlier intent, says the opposite, and may still be under way."""
    is_earlier, is_opposite = other.number < own.number, (other.number ^ own.number) & 1
    is_same_run = other.number >> _RUN_SHIFT == own.number >> _RUN_SHIFT
    is_meant = is_earlier and is_opposite and not (is_same_run and ticket.is_alone)
    return bool(is_meant and own.begun - other.begun <= PATIENCE.total_seconds())
