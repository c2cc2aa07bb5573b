"""How often a destination is called: its declared rates and its own `Retry-After`, kept.

Belongs here: waiting before a call, over all processes of a home together. Does not belong here:
what is called (`sync`, `tickets`), and trying again after a failure.

The moments are those of the machine's clock and not of the home's, which may stand still: a rate
is about the real world. Every call is recorded before it is made, so a killed process counts too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from ingestion.errors import RegularsError
from orchestration.destinations.base import Rate, RetryLaterError
from orchestration.ops import schema
from orchestration.ops.store import Store, append, upsert

LONGEST_WAIT = 60.0  # seconds; for longer than that the rows are left to a later sync
_SECOND = 1_000_000


class PausedError(RetryLaterError):
    """The destination may not be called for longer than anybody waits."""

    def __init__(self, seconds: float) -> None:
        """Say how long."""
        super().__init__("paused", seconds)


@dataclass
class Pace:
    """The calls of one destination. `wait` and `clock` are in seconds."""

    store: Store
    destination: str
    rates: Sequence[Rate]
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """A wait that is over counts, also where the clock was set back meanwhile."""
        self._not_before = 0

    def take(self) -> None:
        """Wait until the destination may be called, and record that it is.

        Raises:
            PausedError: that would take longer than the longest wait; nothing was recorded.
        """
        while True:
            micros = self._try()
            if not micros:
                return
            if micros > LONGEST_WAIT * _SECOND:
                raise PausedError(micros / _SECOND)
            self._not_before = self._now() + micros
            self.wait(micros / _SECOND)

    def pause(self, seconds: float) -> None:
        """The destination asked to be left alone for so long."""
        now = self._now()
        until = now + round(seconds * _SECOND)
        row = {"destination": self.destination, "paused_until": until, "asked_at": now}
        with self.store.write() as connection:
            upsert(connection, schema.destination_pauses, [row])

    def heed(self, error: RegularsError) -> float:
        """Leave the destination alone for as long as its answer asked, if it did; the seconds."""
        if not isinstance(error, RetryLaterError) or not error.wait_seconds:
            return 0.0
        if not isinstance(error, PausedError):
            self.pause(error.wait_seconds)
        return error.wait_seconds

    def _now(self) -> int:
        return max(round(self.clock() * _SECOND), self._not_before)

    def _try(self) -> int:
        """The microseconds still to wait; where there are none, the call is recorded."""
        if not self.rates:
            with self.store.read() as connection:
                return self._paused(connection, self._now())
        with self.store.write() as connection:
            now = self._now()
            window = round(max(rate.seconds for rate in self.rates) * _SECOND)
            calls = self._recent(connection, now, window)
            needed = max(_needed(calls, now, rate) for rate in self.rates)
            needed = max(needed, self._paused(connection, now))
            if not needed:
                at = max([now, *(call + 1 for call in calls)])
                row = {"destination": self.destination, "called_at": at}
                append(connection, schema.destination_calls, [row])
            return needed

    def _paused(self, connection: Connection, now: int) -> int:
        """What is left of the pause; none where the clock was set back to before it was asked."""
        table = schema.destination_pauses.c
        query = select(table.paused_until, table.asked_at).where(
            table.destination == self.destination
        )
        row = connection.execute(query).first()
        return max(row[0] - now, 0) if row and row[1] <= now else 0

    def _recent(self, connection: Connection, now: int, window: int) -> list[int]:
        """When it was called within the window; what is older or of a wrong clock goes."""
        table = schema.destination_calls
        own = table.c.destination == self.destination
        is_old = (table.c.called_at <= now - window) | (table.c.called_at > now + window)
        connection.execute(delete(table).where(own, is_old))
        query = select(table.c.called_at).where(own).order_by(table.c.called_at)
        return list(connection.execute(query).scalars())


def _needed(calls: Sequence[int], now: int, rate: Rate) -> int:
    """The microseconds until one more call keeps to the rate."""
    if len(calls) < rate.requests:
        return 0
    return max(calls[-rate.requests] + round(rate.seconds * _SECOND) - now, 0)
