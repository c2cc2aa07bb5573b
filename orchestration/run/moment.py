"""The moment of a run: its "now", naive UTC.

Belongs here: which moment a run takes. Does not belong here: the pretend shop's clock
(pretend_clock.py), and reading what a person wrote (`run.parse_as_of`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from ingestion.errors import UsageError
from orchestration.home.layout import Home
from orchestration.run.pretend_clock import asked_moment, next_moment, shop_moment


def moment_of(
    asked: datetime | None, demo: Home | None, goes_on: datetime | None, *, publishes: bool
) -> datetime:
    """What was asked for, else the pretend shop's in its home, else the clock's.

    Models of two moments do not belong together: only a run that builds them all sets a new
    one, and a part of them is built as of the last.

    Args:
        asked: what a person wrote.
        demo: the pretend shop's home; None in a real shop's.
        goes_on: the moment of the other tables, where the run makes only a part of them.
        publishes: the pretend shop's is the next day for a run that may publish it, else where it
            stands.

    Raises:
        UsageError: the moment that was asked for cannot be.
    """
    if goes_on is not None:
        if asked not in (None, goes_on):
            raise UsageError(
                f"The other tables are as of {goes_on:%Y-%m-%dT%H:%M:%SZ}, and a part of them"
                " cannot be of another moment.",
                "Leave `as_of` empty, or run the job `refresh`.",
            )
        return goes_on
    if demo is None:
        return asked or datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    if asked:
        return asked_moment(demo, asked)
    return next_moment(demo) if publishes else shop_moment(demo)
