"""Hours in which a message may ring, by place, over clock changes and half-hour zones."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
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


@pytest.mark.parametrize("unknown", ["", "ZZ", "Tx", "AE", "TX, FL", "Техас"])
@pytest.mark.parametrize("country", sorted({country for _, country, region in rules() if region}))
def test_who_lives_in_an_unknown_region_gets_nothing_that_a_region_forbids(
    country: str, unknown: str
) -> None:
    """Every quarter of an hour of a week, the one of a clock change among them."""
    channels = {channel for channel, of, region in rules() if of == country and region}
    steps = [at("2026-03-04T00:00") + timedelta(minutes=15 * step) for step in range(7 * 96)]
    for channel in channels:
        free = {
            region: {
                moment
                for moment in steps
                if not is_quiet(channel, Place(country, region), LONDON, moment)
            }
            for region in ("", unknown, *regions_of(country))
        }
        assert free[unknown] == free[""]
        assert free[""]
        assert all(free[""] <= free[region] for region in regions_of(country))
        assert len({frozenset(each) for each in free.values()}) > 1, "no region differs"


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


@pytest.mark.faults
def test_no_sending_falls_into_quiet_hours_over_a_year_with_both_clock_changes() -> None:
    """10,000 people over 400 days; whether it is night is worked out here a second time."""
    draw = random.Random(7)
    start = at("2026-01-01T00:00")
    known: dict[tuple[str, Place, datetime], datetime | None] = {}
    inside = 0
    for _ in range(10_000):
        place, channel = draw.choice(PLACES), draw.choice(["sms", "push"])
        asked = start + timedelta(minutes=15 * draw.randrange(400 * 96))
        key = (channel, place, asked)
        if key not in known:
            known[key] = allowed_from(channel, place, LONDON, asked)
        sent = known[key]
        assert sent is not None and asked <= sent <= asked + timedelta(days=3)
        inside += _is_night(channel, place, sent)
    assert inside == 0


def _is_night(channel: str, place: Place, moment: datetime) -> bool:
    """Whether it rings before 8 or from 22 on in any zone of the country: wider than any rule."""
    zones = zones_of(place.country) or ("Europe/London",)
    hours = [moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).hour for zone in zones]
    latest = {"sms": 22 if place.country == "FR" else 21, "push": 21}[channel]
    return any(hour < 8 or hour >= latest for hour in hours)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-06-01", 24), ("2026-10-25", 25)]
)
def test_a_day_of_the_shop_has_as_many_hours_as_its_clocks_say(day: str, hours: int) -> None:
    first, after = day_bounds(at(day).date(), "Europe/London")
    assert after - first == timedelta(hours=hours)
    assert day_of(first, "Europe/London") == at(day).date()
    assert day_of(after - timedelta(microseconds=1), "Europe/London") == at(day).date()
