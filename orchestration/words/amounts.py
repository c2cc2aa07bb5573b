"""How amounts, shares, times and counts are written for people.

Belongs here: formats. Does not belong here: words for codes (`codes.py`); reading data.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}
# Currencies that have not two decimals (ISO 4217).
_NO_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"),
    *("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
FEW = 10  # groups smaller than this are not told apart (RELIABILITY: small segments)


def count(value: float | None) -> str:
    """A whole number with separators."""
    return "–" if value is None else f"{int(value):,}"


def few(value: int) -> str:
    """A group's size, not told exactly when it is too small."""
    return f"under {FEW}" if 0 < value < FEW else count(value)


def counted(number: int, unit: str) -> str:
    """A number with its unit in the plural: "1 order", "2,000 days"."""
    return f"{number:,} {unit.removesuffix('s') if number == 1 else unit}"


def typical(order_count: int, recency_days: int) -> str:
    """A group's medians, as part of a sentence."""
    last = "today" if recency_days == 0 else f"{counted(recency_days, 'days')} ago"
    return f"typically {counted(order_count, 'orders')}, the last one {last}"


def orders_between(least: int, most: int) -> str:
    """A range of order counts."""
    return counted(most, "orders") if least == most else f"{least:,} to {most:,} orders"


def days_between(least: int, most: int) -> str:
    """How long ago, as a range of days."""
    if most == 0:
        return "today"
    days = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    return f"{days} d\N{NO-BREAK SPACE}ago"


def decimals(currency: str) -> int:
    """How many decimals amounts of a currency have."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def exact(value: Decimal | float | None, currency: str) -> str:
    """An amount to the last decimal of its currency, `9,400 JPY`; a dash where it is not known."""
    if value is None:
        return "–"
    digits = decimals(currency)
    amount = f"{abs(value):,.{digits}f} {currency}".rstrip()
    return f"−{amount}" if value < 0 else amount


def money(value: Decimal | float | None, currency: str, digits: int = 0) -> str:
    """An amount as a figure of a report, with its currency's sign; a dash where it is not known."""
    if value is None:
        return "–"
    digits = min(digits, decimals(currency))
    sign = "−" if value < 0 else ""
    amount = f"{abs(value):,.{digits}f}"
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {currency}".rstrip()


def share(part: float, whole: float) -> str:
    """A percentage; "under 1 %" rather than a false zero."""
    if not whole:
        return "–"
    value = part / whole
    if 0 < value < 0.01:
        return "under 1 %"
    if 0.99 < value < 1:
        return "over 99 %"
    return f"{value:.0%}".replace("%", " %").replace("-", "−")


def change(now: Decimal | None, before: Decimal | None) -> str:
    """How a figure moved, in words; nothing where either is not known."""
    if now is None or not before:
        return ""
    moved = now / before - 1
    if abs(moved) < 0.005:
        return "unchanged"
    return f"{'+' if moved > 0 else '−'}{abs(moved):.0%}".replace("%", " %")


def moment(value: datetime | None) -> str:
    """A time, to the minute, in UTC."""
    return "–" if value is None else f"{value.day} {value:%B %Y, %H:%M} UTC"


def day(value: date | None, zone: ZoneInfo) -> str:
    """A day; of a moment in UTC the one that it is on in this zone."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = value.replace(tzinfo=UTC).astimezone(zone)
    return f"{value.day} {value:%B %Y}"


def age(hours: float | None) -> str:
    """How long ago, in words."""
    if hours is None:
        return "–"
    if hours < 1:
        return "within the hour"
    if hours < 48:
        return f"{int(hours)} hour{'s' if int(hours) != 1 else ''} ago"
    return f"{int(hours // 24)} days ago"
