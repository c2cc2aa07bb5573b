"""What a destination is: a small protocol, and the rows and outcomes that cross it.

Belongs here: the shapes shared by all destinations. Does not belong here: any particular system, or
permission (rows that arrive here have passed the gate; removals need not).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from ingestion.errors import RegularsError
from ingestion.redaction.engine import are_kept, what_stays

IN_WORDS = "reason_in_words"  # in place of a reason that is no code
_CODE = re.compile(r"[a-z]+(?:_(?:[a-z]+|[0-9]{1,4}))*")
_VENDORS_CODE = re.compile(r"[a-z_]{1,40}")  # no digits: never a phone number or an id

Operation = Literal["added", "updated", "removed"]
Payload = Mapping[str, Any]
Item = TypeVar("Item")


class Idempotency(StrEnum):
    """What happens when a destination gets the same row twice (RELIABILITY A2)."""

    KEY = "idempotent_key"  # it remembers our key and answers as the first time
    SET = "idempotent_set"  # the row sets a state, so the second time changes nothing
    NONE = "none"  # it would act twice: rows in flight at a crash wait for a person


class Acknowledgement(StrEnum):
    """What a destination's yes means."""

    APPLIED = "applied"  # it is so
    ASKABLE = "accepted_askable"  # it is applied later, and the destination can be asked
    UNKNOWABLE = "accepted_unknowable"  # it is applied later, and nobody can ever know


@dataclass(frozen=True, slots=True)
class Rate:
    """At most this many calls in this many seconds."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What a destination takes at once and how often; the sync keeps to it.

    Attributes:
        rows: of a batch.
        batch_bytes: of a batch, its rows added up as `size_as_sent`.
        row_bytes: of a row; a larger one is rejected and never sent, except a removal.
        rates: of calls of `deliver` and `ask`, over all processes of a home together.
    """

    rows: int
    batch_bytes: int | None = None
    row_bytes: int | None = None
    rates: tuple[Rate, ...] = ()


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
class Withdrawal:
    """A no that a destination knows of. `reason` is one of the gate's, or its own word for it."""

    identifier_type: str
    identifier_value: str
    channel: str
    purpose: str
    reason: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row. `reason` is a short code, never a value of the row.

    `retry` promises that the row was not taken, or that taking it twice does no harm; `unknown`
    that neither is sure; `rejected` that trying the same row again is useless for now; `accepted`
    that it is taken and applied later, under the destination's own name for the job, `ticket`.
    `withdrawal`: a no of the person that the answer tells of, recorded in the same transaction;
    `gone`: the endpoint of a push subscription that is no more, noted there too.
    """

    key: str
    status: Literal["delivered", "accepted", "retry", "rejected", "unknown"]
    reason: str = ""
    ticket: str = ""
    withdrawal: Withdrawal | None = None
    gone: str = ""


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


def reason_of(error: RegularsError) -> str:
    """Why rows were not taken, as a short code."""
    return error.reason if isinstance(error, RetryLaterError) else "failed"


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
    acknowledgement: Acknowledgement
    limits: Limits

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


@runtime_checkable
class AnswersLater(Protocol):
    """A destination that applies rows later and can be asked (`Acknowledgement.ASKABLE`)."""

    patience: timedelta  # an accepted row without an answer for longer is of unknown fate

    def ask(self, segment: str, ticket: str, rows: Sequence[Row]) -> Sequence[Outcome]:
        """What became of rows that it accepted under a ticket; `accepted` where not yet known.

        A row without an outcome counts as `accepted`.

        Raises:
            RetryLaterError: it cannot be asked now.
        """


@runtime_checkable
class SendsMessages(Protocol):
    """A destination that sends a person one message per row and keeps no audience.

    Its module says `SENDS_MESSAGES = True`. Its rows are `added` only: a message is sent once per
    stay in the segment, is never updated, and cannot be taken back. `message` of the payload is
    sent as it stands there.
    """

    def try_out(self, address: str, message: Any, key: str) -> Outcome:
        """Send one message to a person of the shop who tries it out, who is in no audience.

        Raises:
            RetryLaterError: nothing can be sent now.
        """


@runtime_checkable
class TellsSizes(Protocol):
    """A destination whose rows have another size than their payload as JSON."""

    def size(self, row: Row) -> int:
        """The bytes of a row as it is sent."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What is known of one person. `key` names them in an outcome; `values` is by type.

    Beside the types of identifiers there is `customer_id`: the ids that the person had with us.
    `ticket`: what the destination answered with when it was asked the last time.
    """

    key: str
    values: Mapping[str, tuple[str, ...]]
    ticket: str = ""


@runtime_checkable
class Erases(Protocol):
    """A destination that can erase people; asked by `forget`, whose receipt says what it said."""

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Erase all that the destination has of these people; an outcome for each.

        Identifiers are in their matching form. Somebody whom it does not have is `delivered`.

        Raises:
            RetryLaterError: it cannot be asked now.
        """


@runtime_checkable
class ShowsRefusals(Protocol):
    """A destination that tells people themselves what they refused, members of anything or not."""

    def show_refusals(self, refusals: Mapping[tuple[str, str], frozenset[str]]) -> None:
        """Put this in the place of all that it showed before.

        Args:
            refusals: purposes by type and value of an identifier, or by `customer_id` and the id.
        """


@runtime_checkable
class TellsWithdrawals(Protocol):
    """A destination that can say who refused there; asked by each sync and after a restore."""

    def withdrawals_since(self, since: datetime) -> Iterable[Withdrawal]:
        """Who unsubscribed, complained or was suppressed there since a moment (naive UTC).

        Identifiers are in their matching form. More than asked for does no harm.

        Raises:
            RetryLaterError: it cannot be asked now.
        """


WRITTEN = "written"  # how a refusal came to be known at a destination
KNOWN = "known"
NOT_THERE = "no_profile"
NEWER_GRANT = "newer_grant"  # why one is not written


@runtime_checkable
class TakesWithdrawals(Protocol):
    """A destination that can be told who refused elsewhere, so that it stops by itself as well.

    `withdrawal_channels`: of which channels. `withdrawals_at_once`: how many it takes in one call.
    `withdrawals_per_sync`: how many one sync tells it, so that old ones keep no sync from sending.
    """

    withdrawal_channels: frozenset[str]
    withdrawals_at_once: int
    withdrawals_per_sync: int

    def withdraw(self, refusals: Mapping[str, Withdrawal]) -> Sequence[Outcome]:
        """Make it so that these are sent no more marketing there; repeating it changes nothing.

        Nobody is made for it, and a permission that was given there later than the refusal stays.

        Args:
            refusals: by a key of ours; identifiers are addresses of the channel.

        Returns:
            An outcome for each: `delivered` where it has read back that it is so, with `WRITTEN`,
            `KNOWN` or `NOT_THERE`; `accepted` where it is not to be seen yet; `rejected` where it
            must not be written, such as with `NEWER_GRANT`.

        Raises:
            RetryLaterError: it cannot be told now.
        """


@runtime_checkable
class MakesProfiles(Protocol):
    """A destination whose vendor bills the profiles that it makes; `plan` tells how many are new.

    `makes_profiles_of`: the type of identifier by which we know who has one; empty where none is
    made.
    """

    makes_profiles_of: str


@runtime_checkable
class DropsMembers(Protocol):
    """A destination that drops members some time after they were sent; they are sent again before.

    `renewed_after`: how long after the last delivery of a member.
    """

    renewed_after: timedelta


@runtime_checkable
class TellsMembers(Protocol):
    """A destination that can say whom it has; asked by `doctor --connect` (RELIABILITY A4)."""

    def members_of(self, segment: str) -> Iterable[str]:
        """The ids of everybody whom it has of a segment, in any order.

        Raises:
            RetryLaterError: it cannot be asked now.
        """


@runtime_checkable
class TellsAddresses(Protocol):
    """A destination that can say whom it has, and knows people by their addresses alone."""

    def addresses_of(self, segment: str) -> Iterable[tuple[str, str]]:
        """Type and matching form of the address of everybody whom it has of a segment.

        Raises:
            RetryLaterError: it cannot be asked now.
        """


@dataclass(frozen=True, slots=True)
class AudienceSize:
    """What a destination says of an audience without naming anybody; None where it does not say.

    Attributes:
        held: how many people it has, in its own counting.
        matched_percent: of those who were sent, how many in a hundred it found among its own.
    """

    held: int | None
    matched_percent: int | None = None


@runtime_checkable
class TellsAudienceSizes(Protocol):
    """A destination that can say how many people it has, and not who; asked as `TellsMembers`."""

    def audience_size(self, segment: str) -> AudienceSize:
        """What it says of a segment's audience.

        Raises:
            RetryLaterError: it cannot be asked now.
        """


@runtime_checkable
class CanBeTried(Protocol):
    """A destination that judges a call without doing it; asked by `doctor --connect`."""

    def validate(self) -> None:
        """Have it judge an addition of nobody to each audience that the settings name.

        Raises:
            RegularsError: it would not take one, or cannot be asked now.
        """


def as_code(reason: str) -> str:
    """A reason that is a short code; another may hold what a system said, perhaps of people."""
    return reason if _CODE.fullmatch(reason) else IN_WORDS


def vendors_code(code: object, otherwise: str) -> str:
    """A code of a vendor's answer where it is one, else the other: never a value of a row."""
    return code if isinstance(code, str) and _VENDORS_CODE.fullmatch(code) else otherwise


def size_as_sent(destination: Destination, row: Row) -> int:
    """The bytes of a row as it is sent; its payload as JSON where the destination says no other."""
    if isinstance(destination, TellsSizes):
        return destination.size(row)
    return len(json.dumps(dict(row.payload), ensure_ascii=False).encode())


def renewal(destination: Destination) -> timedelta | None:
    """How long after their last delivery members are sent again; None where they stay for ever."""
    return destination.renewed_after if isinstance(destination, DropsMembers) else None


def delivered(rows: Iterable[Row]) -> Iterator[Outcome]:
    """The outcome of rows that all arrived."""
    return (Outcome(row.key, "delivered") for row in rows)


def cut(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """The items in parts of at most so many, as many as one call takes."""
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def merged_ids(row: Row) -> set[str]:
    """The ids under which its person may stand at a destination, beside their own.

    Where two people turned out to be one, what was delivered under an id that is no more counts as
    delivered under the one that stays; the payloads still say the old one.
    """
    payloads = (row.payload, row.previous or {})
    ids = {str(payload["customer_id"]) for payload in payloads if payload.get("customer_id")}
    return ids - {row.customer_id}
