"""What the paged API sources share: the time cursor with its lateness window, and asking again.

Belongs here: from when to ask, how far a pull has come, the second look at an odd page.
Does not belong here: HTTP (http.py) or any one API's pages (sources/).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from ingestion.apis.http import FIRST_WAIT_SECONDS, ApiClient
from ingestion.errors import SourceError

KEY = "newest"
ASKED = "asked"
LOOKED_BACK = "looked_back"
PAGE_TRIES = 3
CLOCK_TOLERANCE = timedelta(minutes=5)

T = TypeVar("T")


class PageError(Exception):
    """A page that cannot be trusted, in a few words and without anything the server said."""


@dataclass(frozen=True)
class LookBack:
    """How often a pull begins how much further back."""

    every: timedelta
    how_far: timedelta


class Cursor:
    """How far one table has been pulled; times are UTC without zone.

    Args:
        state: what earlier pulls left, and where `save` leaves it for the next.
        start_date: from when to ask the first time.
        lateness_hours: how far before the newest known row each pull begins again.
        as_of: the run's time; later rows are taken but never move the cursor.
        asked: the fields that are asked for, in any words. A pull that asks for other fields than
            the last one begins again, because what was pulled then lacks them.
        look_back: how often to begin how much further before the newest row, for an API that can
            only be asked by a row's own time: what it took in late is found then.
    """

    def __init__(
        self,
        state: dict[str, Any],
        start_date: str,
        lateness_hours: int,
        as_of: datetime,
        asked: str = "",
        look_back: LookBack | None = None,
    ) -> None:
        """Work out from when to ask."""
        self._state = state
        self._limit = as_of + CLOCK_TOLERANCE
        self._asked = hashlib.sha256(asked.encode()).hexdigest()[:16] if asked else None
        self._known = parsed(state.get(KEY)) if state.get(ASKED) == self._asked else None
        self.newest = self._known
        self.is_first = self._known is None
        start = parsed(start_date) or datetime(1990, 1, 1)  # noqa: DTZ001 - UTC by definition
        late = timedelta(hours=lateness_hours)
        self._looked_back: datetime | None = None
        if look_back:
            before = parsed(state.get(LOOKED_BACK))
            is_due = self.is_first or before is None or as_of - before >= look_back.every
            self._looked_back = as_of if is_due else None
            late = max(late, look_back.how_far) if is_due else late
        self.since = start if self._known is None else max(start, self._known - late)

    def saw(self, moment: datetime | None) -> None:
        """Note a row's time."""
        if moment and moment <= self._limit and (self.newest is None or moment > self.newest):
            self.newest = moment

    def save(self) -> None:
        """Leave the newest time for the next pull; call when everything was read."""
        if self.newest:
            self._state[KEY] = self.newest.isoformat()
            if self._looked_back:
                self._state[LOOKED_BACK] = self._looked_back.isoformat()
            if self._asked:
                self._state[ASKED] = self._asked


def parsed(text: Any) -> datetime | None:
    """An ISO 8601 time as UTC without zone, or None."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def retried_page(ask: Callable[[], T], what: str, client: ApiClient) -> T:
    """Ask for a page again while it cannot be trusted.

    Raises:
        SourceError: it stays so, and the run must not take it for the truth.
    """
    for attempt in range(PAGE_TRIES):
        try:
            return ask()
        except PageError as error:
            if attempt == PAGE_TRIES - 1:
                raise SourceError(
                    f"{what} gave {error}, {PAGE_TRIES} times.",
                    "Run again later; nothing of this table was loaded.",
                ) from None
            client.sleep(FIRST_WAIT_SECONDS * (attempt + 1))
    raise AssertionError("unreachable")
