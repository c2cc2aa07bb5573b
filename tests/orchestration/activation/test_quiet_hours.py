"""Hours in which a message may ring, by place, over clock changes and half-hour zones."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import pytest

from orchestration.activation.quiet_hours import (
    SEED,
    Place,
    Shop,
    allowed_from,
    day_bounds,
    day_of,
    regions_of,
    zones_of,
)

LONDON = Shop("Europe/London", "GB")
PLACES = [
    *(Place(country) for country in ("GB", "US", "IN", "NP", "AU", "NZ", "CL", "BR", "FR", "JP")),
    *(Place("US", region) for region in ("TX", "FL", "CA")),
    *(Place(), Place("XX")),
]


def is_quiet(channel: str, place: Place, shop: Shop, moment: datetime) -> bool:
    return allowed_from(channel, place, shop, moment) != moment


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("channel", "place", "asked", "expected"),
    [
        ("sms", Place("GB"), "2026-06-03T02:00", "2026-06-03T08:00"),  # 09:00 in summer time
        ("sms", Place("GB"), "2026-12-03T02:00", "2026-12-03T09:00"),
        ("sms", Place("GB"), "2026-12-03T20:00", "2026-12-04T09:00"),  # closes at the hour itself
        ("sms", Place("IN"), "2026-06-03T02:00", "2026-06-03T03:30"),
        ("sms", Place("NP"), "2026-06-03T02:00", "2026-06-03T03:15"),
        # Sunday in Texas opens at noon in its easternmost zone and its westernmost alike
        ("sms", Place("FR"), "2026-06-07T10:00", "2026-06-08T06:00"),  # no Sundays
        ("email", Place("GB"), "2026-06-03T02:00", "2026-06-03T02:00"),
        ("ads", Place(), "2026-06-03T02:00", "2026-06-03T02:00"),
        ("push", Place("GB"), "2026-06-03T06:59", "2026-06-03T07:00"),
    ],
)
def test_the_first_allowed_moment(channel: str, place: Place, asked: str, expected: str) -> None:
    assert allowed_from(channel, place, LONDON, at(asked)) == at(expected)


def test_a_country_is_quiet_while_any_of_its_zones_is() -> None:
    assert len(zones_of("US")) > 10
    # 09:00 in New York, 03:00 in Honolulu
    assert is_quiet("sms", Place("US"), LONDON, at("2026-06-03T13:00"))
    assert not is_quiet("sms", Place("US"), LONDON, at("2026-06-03T19:30"))


def test_an_unknown_region_has_the_hours_of_all_regions_at_once() -> None:
    evening = at("2026-06-08T00:30")  # Sunday 20:30 in New York, which Florida forbids
    assert is_quiet("sms", Place("US"), LONDON, evening)
    assert is_quiet("sms", Place("US", "FL"), LONDON, evening)


def rules() -> set[tuple[str, str, str]]:
    """Channel, country and region of each row of the seed."""
    with SEED.open(encoding="utf-8", newline="") as stream:
        return {(row["channel"], row["country"], row["region"]) for row in csv.DictReader(stream)}


def test_every_region_that_has_a_rule_is_one_that_people_can_be_known_to_live_in() -> None:
    missing = {
        (country, region)
        for _, country, region in rules()
        if region and region not in regions_of(country)
    }
    assert not missing


@cache
def free_moments(channel: str, person_in: Place) -> frozenset[datetime]:
    """The free quarters of an hour of a week, the one of a clock change."""
    steps = (at("2026-03-04T00:00") + timedelta(minutes=15 * step) for step in range(7 * 96))
    return frozenset(moment for moment in steps if not is_quiet(channel, person_in, LONDON, moment))


@pytest.mark.parametrize("unknown", ["", "ZZ", "Tx", "AE", "TX, FL", "Техас"])
@pytest.mark.parametrize("country", sorted({country for _, country, region in rules() if region}))
def test_who_lives_in_an_unknown_region_gets_nothing_that_a_region_forbids(
    country: str, unknown: str
) -> None:
    channels = {channel for channel, of, region in rules() if of == country and region}
    for channel in channels:
        free = {
            region: free_moments(channel, Place(country, region))
            for region in ("", unknown, *regions_of(country))
        }
        assert free[unknown] == free[""]
        assert free[""]
        assert all(free[""] <= free[region] for region in regions_of(country))
        assert len(set(free.values())) > 1, "no region differs"


def test_a_region_of_a_country_without_regions_changes_nothing() -> None:
    for step in range(7 * 24):
        moment = at("2026-06-01T00:00") + timedelta(hours=step)
        for country in ("GB", "FR", "JP"):
            known = is_quiet("sms", Place(country, "TX"), LONDON, moment)
            assert known == is_quiet("sms", Place(country), LONDON, moment)


def test_an_unknown_place_has_every_hour_there_is_in_the_shops_own_zones() -> None:
    for hour in range(24 * 7):
        moment = at("2026-06-01T00:00") + timedelta(hours=hour)
        if not is_quiet("sms", Place(), LONDON, moment):
            for place in (Place("GB"), Place("XX")):
                assert not is_quiet("sms", place, LONDON, moment)
    assert is_quiet("sms", Place(), LONDON, at("2026-06-07T10:30"))  # a Sunday before noon


def test_every_quarter_of_an_hour_has_the_answer_of_its_first_minute_or_waits() -> None:
    """Minutes within a quarter leave at once where the quarter is open, else at the same moment."""
    for place in (Place("GB"), Place("US", "TX"), Place("IN")):
        for step in range(2 * 96):
            first = at("2026-03-28T00:00") + timedelta(minutes=15 * step)
            minutes = [first + timedelta(minutes=n, seconds=n) for n in range(15)]
            answers = [allowed_from("sms", place, LONDON, minute) for minute in minutes]
            expected = minutes if answers[0] == first else [answers[0]] * 15
            assert answers == expected


# Days of the week (Monday is 0), the hour of opening and of closing: written here by hand from
# docs/decision.md and the sources that the seed names, and read by `zoneinfo` in every zone.
_ALL, _NO_SUNDAY, _SUNDAY = range(7), range(6), range(6, 7)
_Hours = list[tuple[range, int, int]]
_OWN_RULE: dict[str, _Hours] = {"sms": [(_ALL, 9, 20)], "push": [(_ALL, 8, 21)]}
_SMS: dict[Place, _Hours] = {
    Place("US"): [(_NO_SUNDAY, 9, 20), (_SUNDAY, 12, 20)],  # of all its states at once
    Place("US", "TX"): [(_NO_SUNDAY, 9, 21), (_SUNDAY, 12, 21)],
    Place("US", "FL"): [(_ALL, 8, 20)],
    Place("US", "CA"): [(_ALL, 8, 21)],
    Place("FR"): [(_NO_SUNDAY, 8, 22)],
    Place(): [(_NO_SUNDAY, 9, 20)],  # of all countries at once
}


@lru_cache(2**15)
def _is_night(channel: str, place: Place, quarter: datetime) -> bool:
    """Whether this quarter of an hour is outside the hours in any zone there, by its own clock."""
    hours = (channel == "sms" and _SMS.get(place)) or _OWN_RULE[channel]
    for zone in zones_of(place.country) or ("Europe/London",):
        local = quarter.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
        if not any(
            local.weekday() in days and opens <= local.hour < closes
            for days, opens, closes in hours
        ):
            return True
    return False


def rung_at_night(people: int, days: Iterable[int], seed: int = 7) -> tuple[int, int]:
    """Each person is asked once on each of the days from January 2026 on, at a minute drawn for it.

    How many messages would leave in quiet hours by the clocks, and how many had to wait.
    """
    draw = random.Random(seed)
    living = [(draw.choice(["sms", "push"]), draw.choice(PLACES)) for _ in range(people)]
    inside = waited = 0
    for day in days:
        start = at("2026-01-01T00:00") + timedelta(days=day)
        for channel, place in living:
            asked = start + timedelta(minutes=draw.randrange(24 * 60))
            sent = allowed_from(channel, place, LONDON, asked)
            assert sent is not None and asked <= sent <= asked + timedelta(days=3)
            quarter = sent.replace(minute=sent.minute // 15 * 15, second=0)
            inside += _is_night(channel, place, quarter)
            waited += sent != asked
    return inside, waited


def test_nobody_is_rung_at_night_around_the_clock_changes() -> None:
    changes = ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01")
    days = [(at(change) - at("2026-01-01")).days + n for change in changes for n in (-1, 0, 1)]
    inside, waited = rung_at_night(100, days)
    assert inside == 0
    assert waited > 600


@pytest.mark.faults
def test_of_10_000_people_nobody_is_rung_at_night_over_400_days_with_both_clock_changes() -> None:
    """4,000,000 moments, one per person and day."""
    inside, waited = rung_at_night(10_000, range(400))
    assert inside == 0
    assert waited > 1_500_000


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-06-01", 24), ("2026-10-25", 25)]
)
def test_a_day_of_the_shop_has_as_many_hours_as_its_clocks_say(day: str, hours: int) -> None:
    first, after = day_bounds(at(day).date(), "Europe/London")
    assert after - first == timedelta(hours=hours)
    assert day_of(first, "Europe/London") == at(day).date()
    assert day_of(after - timedelta(microseconds=1), "Europe/London") == at(day).date()
