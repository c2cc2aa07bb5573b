"""The days for which Britain buys presents, year by year.

Belongs here: when each is, and from when the shop's windows show it. Does not belong here: who buys
a present (write_gifts) or the file with the days (write_offers).
"""

from __future__ import annotations

from datetime import date, timedelta

YEARS = range(1990, 2101)


def occasions(year: int) -> list[tuple[str, date, date]]:
    """What Britain gives presents for, each from the day on which the shop's windows change."""
    easter = _easter(year)
    june = date(year, 6, 1)
    november = date(year, 11, 1)
    # Thanksgiving is November's fourth Thursday, and the Friday after it is black
    thanksgiving = november + timedelta((3 - november.weekday()) % 7 + 21)
    days = [
        ("valentines_day", 21, date(year, 2, 14)),
        ("mothers_day", 21, easter - timedelta(21)),
        ("easter", 14, easter),
        ("fathers_day", 21, june + timedelta((6 - june.weekday()) % 7 + 14)),
        ("halloween", 14, date(year, 10, 31)),
        ("black_friday", 7, thanksgiving + timedelta(1)),
        ("christmas", 35, date(year, 12, 24)),
    ]
    return [(name, day - timedelta(before), day) for name, before, day in days]


def _easter(year: int) -> date:
    """The Sunday of the Gregorian computus (Meeus, Jones, Butcher)."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    skipped, leap = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - skipped - moon + 15) % 30
    quarter, remainder = divmod(rest, 4)
    weekday = (32 + 2 * leap + 2 * quarter - epact - remainder) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)
