"""The pretend shop's clock: at which moment it stands, and which one a run takes.

Belongs here: reading the clock and moving it by whole days. Does not belong here: what happens on a
day (ingestion/demo) and a real shop's time, which is the wall clock's.

The clock is the moment of the published file, so it moves with the swap that publishes: a run that
fails or is killed leaves it, and the next one tries the same day.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from ingestion.errors import UsageError
from orchestration.home.kind import first_moment, read_mark
from orchestration.home.layout import Home
from orchestration.home.sqlite_file import read_only_sqlite
from orchestration.ops.run_context import last_context
from orchestration.ops.store import from_micros
from orchestration.published.reader import read_build

if TYPE_CHECKING:
    from ingestion.demo.world import World

DAY = timedelta(days=1)


def shop_moment(home: Home) -> datetime:
    """The moment at which the pretend shop of this home stands, naive UTC."""
    return _published_moment(home) or _begun_moment(home)


def next_moment(home: Home) -> datetime:
    """The moment of the next whole run: the first, then a day later each time, for a year."""
    published = _published_moment(home)
    if published is None:
        return _begun_moment(home)
    return min(published + DAY, _last_moment(home))


def asked_moment(home: Home, asked: datetime) -> datetime:
    """The moment that somebody asks for, if the pretend shop can be there.

    Raises:
        UsageError: it lies before the clock, between two days, or after the year.
    """
    now, last = shop_moment(home), _last_moment(home)
    nearest = now + max(1, (asked - now).days) * DAY
    if asked < now:
        raise UsageError(
            f"The pretend shop stands at {_moment_text(now)}, and its clock does not go back.",
            "Leave --as-of out to move on by a day, or make an earlier one with another --home.",
        )
    if asked > last:
        raise UsageError(
            f"The pretend shop's story ends at {_moment_text(last)}.",
            "Give that or an earlier moment.",
        )
    if (asked - now) % DAY:
        raise UsageError(
            f"The pretend shop's clock moves by whole days from {_moment_text(now)}.",
            f"Give for example {_moment_text(min(nearest, last))}.",
        )
    return asked


def world_of(home: Home) -> World:
    """The pretend shop's world as it was first made."""
    from ingestion.demo.troubles import Troubles  # noqa: PLC0415 - a shop's runs do without
    from ingestion.demo.world import MONTHS, make_world  # noqa: PLC0415

    mark = read_mark(home)
    facts = mark.world if mark else {}
    troubles = Troubles(hidden_card=0.0 if facts["cards"] else 1.0)
    first = first_moment(home).replace(tzinfo=UTC)
    months = int(facts.get("months", MONTHS))  # older marks do not say it
    return make_world(int(facts["people"]), int(facts["seed"]), first, troubles, months)


def day_of(home: Home, moment: datetime) -> int:
    """How many days after its first moment the pretend shop is at this one."""
    return (moment - first_moment(home)).days


def _last_moment(home: Home) -> datetime:
    from ingestion.demo.later import DAYS  # noqa: PLC0415 - a shop's runs do without

    return first_moment(home) + DAYS * DAY


def _begun_moment(home: Home) -> datetime:
    """Nothing is published: that of the run begun last, so that the clock never goes back."""
    context = last_context(home.ops_export)
    return context.as_of if context else _last_run_moment(home) or first_moment(home)


def _last_run_moment(home: Home) -> datetime | None:
    """That of the latest run which the operational store knows; a restored home has no more."""
    try:
        with read_only_sqlite(home.ops) as connection:
            (micros,) = connection.execute("select max(as_of) from runs").fetchone()
    except sqlite3.Error:  # there is none, or it is damaged; the command that needs it says so
        return None
    return None if micros is None else from_micros(micros)


def _published_moment(home: Home) -> datetime | None:
    if not home.published.exists():
        return None
    try:
        return read_build(home.published)[2]
    except duckdb.Error:  # a damaged file; the command that reads it says so
        return None


def _moment_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
