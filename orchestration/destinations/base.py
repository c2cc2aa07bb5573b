"""What a destination is: a small protocol, and the rows and outcomes that cross it.

Belongs here: the shapes shared by all destinations. Does not belong here: any particular system, or
permission (rows that arrive here have passed the gate; removals need not).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from ingestion.errors import RegularsError
from ingestion.redaction.engine import are_kept, what_stays

Operation = Literal["added", "updated", "removed"]
Payload = Mapping[str, Any]


class Idempotency(StrEnum):
    """What happens when a destination gets the same row twice (RELIABILITY A2)."""

    KEY = "idempotent_key"  # it remembers our key and answers as the first time
    SET = "idempotent_set"  # the row sets a state, so the second time changes nothing
    NONE = "none"  # it would act twice: rows in flight at a crash wait for a person


@dataclass(frozen=True, slots=True)
class Row:
    """One intent for one person. `previous` is what the destination has of them, if anything."""

    key: str
    customer_id: str
    version: int
    operation: Operation
    payload: Payload
    previous: Payload | None = None


@dataclass(frozen=True)
class Batch:
    """Rows that go together. The same rows keep the same number when a sync is resumed."""

    sync_run_id: str
    segment: str
    number: int
    started_at: datetime
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row. `reason` is a short code, never a value of the row.

    `retry` promises that the row was not taken, or that taking it twice does no harm; `unknown`
    that neither is sure; `rejected` that trying the same row again is useless for now.
    """

    key: str
    status: Literal["delivered", "retry", "rejected", "unknown"]
    reason: str = ""


@dataclass(frozen=True)
class Audience:
    """Everybody the destination should have after a sync run, in the order of customer_id.

    `members` asks the gate while it is read: whoever refused since their row was delivered is not
    among them. It is read within `finish`, which holds every refusal back until it returns.
    """

    sync_run_id: str
    segment: str
    started_at: datetime
    columns: tuple[str, ...]
    members: Iterable[Payload]


class RetryLaterError(RegularsError):
    """The destination could not be reached or is busy; nothing of the batch is lost.

    Args:
        reason: a short code such as `http_503`.
        wait_seconds: how long it asked us to wait, if it did.
    """

    def __init__(self, reason: str, wait_seconds: float | None = None) -> None:
        """Keep the code apart: it goes into the outbox."""
        self.reason = reason
        self.wait_seconds = wait_seconds
        super().__init__(
            f"The destination did not take the rows ({reason}).", "They stay queued; sync again."
        )


class DestinationFailedError(RegularsError):
    """A destination broke off without an answer, so nobody knows what of a batch arrived."""


@contextmanager
def own_words(name: str) -> Iterator[None]:
    """What a destination's code raises, without what its system repeats of people or secrets.

    Raises:
        DestinationFailedError: in place of whatever is no error of ours.
    """
    try:
        yield
    except RegularsError:
        raise
    except Exception as error:
        words = f": {error}" if are_kept() else what_stays(str(error))
        raise DestinationFailedError(
            f"The destination `{name}` broke off: {type(error).__name__}{words}.",
            "What it took is not known; sync again, which goes on as its kind allows.",
        ) from (error if are_kept() else None)


class Destination(Protocol):
    """An adapter to one system that reaches a channel."""

    name: str
    channels: frozenset[str]
    idempotency: Idempotency
    batch_size: int

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Hand over a batch and say what became of every row, in any order.

        A row without an outcome counts as `retry`, or `unknown` where rows may not be repeated.
        Called again after a crash, with the rows that still stand; an empty batch takes back
        what an interrupted one may have left behind.

        Raises:
            RetryLaterError: nothing of the batch can be taken now.
        """

    def finish(self, audience: Audience) -> None:
        """All rows of a sync run have been handed over; called again after a crash.

        Called again as well when somebody refused in the meantime. Put nothing in place but what
        `audience.members` gives here: permission is asked as they are read.
        """

    def preview(self, segment: str) -> str:
        """Where and how rows of this segment would go, in a few words; reaches nothing."""

    def stays_in(self, folder: Path) -> bool:
        """Whether nothing it is given leaves this folder; the pretend shop uses no other."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no that a destination knows of. `reason` is one of the gate's, or its own word for it."""

    identifier_type: str
    identifier_value: str
    channel: str
    purpose: str
    reason: str
    occurred_at: datetime


@runtime_checkable
class TellsRefusals(Protocol):
    """A destination that can say who refused there; asked after a restore (`backup`)."""

    def refusals(self, since: datetime) -> Iterable[Refusal]:
        """Who unsubscribed, complained or was suppressed there since a moment (naive UTC).

        Identifiers are in their matching form. More than asked for does no harm.

        Raises:
            RetryLaterError: it cannot be asked now.
        """


def delivered(rows: Iterable[Row]) -> Iterator[Outcome]:
    """The outcome of rows that all arrived."""
    return (Outcome(row.key, "delivered") for row in rows)
