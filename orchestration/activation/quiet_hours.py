"""When a message may ring at somebody's place, by channel, country and region.

Belongs here: the hours of the seed `quiet_hours`, the time zones of a country, and the next moment
that is allowed in all of them. Does not belong here: what becomes of a message that has to wait
(decision.py).

A country of several zones is quiet while any of them is. Whose region is not known, or is none that
the seed `region_names` has, has the hours of all regions of the country at once, and whose country
is not known those of every country, in the zones of the shop and of its own country: the strictest
of each. A channel without a row, such as email, rings nobody and is never quiet.

Sources: the seed names that of each row; the zones are those of the IANA database (`tzdata`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from ingestion.config import REPOSITORY

SEED = REPOSITORY / "dbt_project" / "seeds" / "quiet_hours.csv"
REGIONS = SEED.with_name("region_names.csv")
ANYWHERE = "*"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_STEP_MINUTES = 15  # every zone's offset is a whole number of these
_STEPS = _DAY_MINUTES // _STEP_MINUTES
_STEP = timedelta(minutes=_STEP_MINUTES)
_LOOK_AHEAD_DAYS = 8
_KNOWN_DAYS = 4096  # a day of a place takes less than a kilobyte
_Week = tuple[tuple[tuple[int, int], ...], ...]  # per weekday, the open minutes of the day


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person lives, as far as known: ISO country and region, empty where not."""

    country: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Shop:
    """Where the shop is; it stands in for people of whom no place is known."""

    timezone: str
    country: str


def allowed_from(channel: str, place: Place, shop: Shop, at: datetime) -> datetime | None:
    """The first moment from `at` on (naive UTC, to the minute) at which the channel may ring there.

    None where the hours of the zones never meet within a week: nothing can be sent.
    """
    if not _hours(channel, place.country, place.region):
        return at
    day, step = at.date(), (at.hour * 60 + at.minute) // _STEP_MINUTES
    opens = _open_from(channel, place, shop, day)[step]
    if opens == step:
        return at
    ahead = 0
    while opens is None and ahead < _LOOK_AHEAD_DAYS:
        ahead += 1
        opens = _open_from(channel, place, shop, day + timedelta(days=ahead))[0]
    if opens is None:
        return None
    return datetime.combine(day + timedelta(days=ahead), time()) + opens * _STEP


@cache
def distinct_zones(zones: tuple[str, ...]) -> tuple[str, ...]:
    """The first of all zones whose clocks agree from 2020 to 2040, looked at once a week."""
    weeks = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(weeks=n) for n in range(20 * 52)]
    known: dict[tuple[timedelta | None, ...], str] = {}
    for zone in zones:
        known.setdefault(tuple(week.astimezone(ZoneInfo(zone)).utcoffset() for week in weeks), zone)
    return tuple(known.values())


@cache
def zones_of(country: str) -> tuple[str, ...]:
    """The IANA time zones of a country (ISO code), in the order of their names."""
    text = (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(sorted(row[2] for row in rows if row[0] == country))


@lru_cache(_KNOWN_DAYS)
def _open_from(channel: str, place: Place, shop: Shop, day: date) -> tuple[int | None, ...]:
    """For each quarter of an hour of a day of UTC, the first one from it on that is open."""
    weeks = _hours(channel, place.country, place.region)
    zones = _zones(place.country, shop)
    midnight = datetime.combine(day, time())
    following: int | None = None
    opens: list[int | None] = []
    for step in reversed(range(_STEPS)):
        if _is_open(weeks, zones, midnight + step * _STEP):
            following = step
        opens.append(following)
    return tuple(reversed(opens))


def _is_open(weeks: Iterable[_Week], zones: tuple[str, ...], at: datetime) -> bool:
    """Whether the whole quarter of an hour that begins then is open in every zone."""
    for zone in zones:
        local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
        first = local.hour * 60 + local.minute
        last = first + _STEP_MINUTES
        for week in weeks:
            if not any(start <= first and last <= end for start, end in week[local.weekday()]):
                return False
    return True


def _zones(country: str, shop: Shop) -> tuple[str, ...]:
    own = zones_of(country) if country else ()
    return distinct_zones(own or (shop.timezone, *zones_of(shop.country)))


@cache
def regions_of(country: str) -> frozenset[str]:
    """The regions that are known of a country (ISO 3166-2 without the country); often none."""
    with REGIONS.open(encoding="utf-8", newline="") as stream:
        return frozenset(
            row["region"] for row in csv.DictReader(stream) if row["country_code"] == country
        )


@cache
def _hours(channel: str, country: str, region: str) -> tuple[_Week, ...]:
    """The weeks that all have to be open, of the most particular rows that are known to fit."""
    rows = [row for row in _rules(SEED) if row.channel == channel]
    places = {(row.country, row.region) for row in rows}
    own = {region_key for region_key in places if region_key[0] == country}
    if not country:
        chosen = places
    elif region and (country, region) in own:
        chosen = {(country, region)}
    elif own and region in regions_of(country):
        chosen = {(country, "")} & own or own
    else:
        chosen = own or {(ANYWHERE, "")} & places
    return tuple(
        _week([row for row in rows if (row.country, row.region) == region_key])
        for region_key in sorted(chosen)
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    channel: str
    country: str
    region: str
    days: tuple[int, ...]
    opens_at: int
    closes_at: int


@cache
def _rules(seed: Path) -> tuple[_Rule, ...]:
    with seed.open(encoding="utf-8", newline="") as stream:
        return tuple(
            _Rule(
                row["channel"],
                row["country"],
                row["region"],
                tuple(_WEEKDAYS.index(day) for day in row["days"].split()),
                _minute(row["opens_at"]),
                _minute(row["closes_at"]),
            )
            for row in csv.DictReader(stream)
        )


def _week(rows: list[_Rule]) -> _Week:
    return tuple(
        tuple((row.opens_at, row.closes_at) for row in rows if day in row.days)
        for day in range(len(_WEEKDAYS))
    )


def _minute(text: str) -> int:
    if text == "24:00":
        return _DAY_MINUTES
    at = time.fromisoformat(text)
    return at.hour * 60 + at.minute


def day_of(at: datetime, timezone: str) -> date:
    """The shop's calendar day of a moment (naive UTC)."""
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()


def day_bounds(day: date, timezone: str) -> tuple[datetime, datetime]:
    """The first moment of one of the shop's days and that of the next, naive UTC."""
    zone = ZoneInfo(timezone)
    first, after = (
        datetime.combine(each, time(), zone).astimezone(UTC).replace(tzinfo=None)
        for each in (day, day + timedelta(days=1))
    )
    return first, after
