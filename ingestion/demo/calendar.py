"""When things happen in the pretend shop: growth, seasons, weekdays, hours, and the shop's clock.

Belongs here: drawing moments (whole seconds UTC) between two bounds, and columns of them. Does not
belong here: what happens at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HOUR = 3600
DAY = 24 * HOUR
SHOP_ZONE = "Europe/London"

_HOURS = np.array(
    [2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 12, 13, 12, 11, 11, 12, 13, 15, 18, 19, 16, 10, 5]
)
_WEEKDAYS = np.array([0.95, 0.9, 0.95, 1.0, 1.05, 1.15, 1.1])
_MONTHS = np.array([0.9, 0.85, 0.95, 0.95, 1.0, 1.0, 0.95, 0.85, 1.0, 1.05, 1.45, 1.6])
_YEARLY_GROWTH = 0.25
# From which month and day to which one more is bought, or less: the shop's sales, and the time
# behind each, in which what was bought in it is missing.
_SALES = ((1120, 1201, 1.6), (1201, 1210, 0.75), (608, 615, 1.5), (615, 629, 0.85))


def _factor(moment: datetime) -> float:
    """By how much more, or less, is bought because of a sale."""
    day = moment.month * 100 + moment.day
    return next((factor for first, last, factor in _SALES if first <= day < last), 1.0)


def is_sale(moments: Ints) -> NDArray[np.bool_]:
    """Whether the shop has a sale at these moments."""
    dates = moments.astype("datetime64[s]").astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    day = (months.astype(np.int64) % 12 + 1) * 100 + (dates - months).astype(np.int64) + 1
    within = [(first <= day) & (day < last) for first, last, factor in _SALES if factor > 1]
    return np.asarray(np.logical_or.reduce(within))


def joined(kind: type[T], parts: Sequence[T], *order: str) -> T:
    """The rows of all parts, whose fields are columns, sorted by some of them."""
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(kind)
    }
    rows = np.lexsort([columns[name] for name in reversed(order)])
    return kind(**{name: column[rows] for name, column in columns.items()})


def rows_of(rows: T, kept: Ints | NDArray[np.bool_] | slice) -> T:
    """Some of the rows, whose fields are columns."""
    return type(rows)(**{field.name: getattr(rows, field.name)[kept] for field in fields(rows)})


def lookup(values: Ints, rows: Ints, missing: int = 0) -> Ints:
    """`values` at `rows`, and `missing` where a row is -1; there may be no values at all."""
    padded = np.append(values, missing)
    return np.asarray(padded[np.where(rows < 0, len(values), rows)], dtype=np.int64)


@dataclass(frozen=True)
class Calendar:
    """The hours from `start` to `end` with the weight that each one carries."""

    start: int
    end: int
    edges: Floats
    cumulated: Floats
    utc_offset: Ints

    @classmethod
    def until(cls, as_of: datetime, months: int) -> Calendar:
        """The `months` before `as_of`."""
        end = int(as_of.replace(tzinfo=UTC).timestamp())
        return cls.between(end - round(months * 30.4375) * DAY, end)

    @classmethod
    def between(cls, start: int, end: int) -> Calendar:
        """The whole hours from one moment to another."""
        hours = range(start, end, HOUR)
        moments = [datetime.fromtimestamp(hour, UTC) for hour in hours]
        weights = np.array(
            [
                _HOURS[m.hour] * _WEEKDAYS[m.weekday()] * _MONTHS[m.month - 1] * _factor(m)
                for m in moments
            ]
        ) * (1 + _YEARLY_GROWTH * np.arange(len(moments)) / (365 * 24))
        zone = ZoneInfo(SHOP_ZONE)
        offsets = [
            int((m.astimezone(zone).utcoffset() or timedelta()).total_seconds()) for m in moments
        ]
        return cls(
            start,
            end,
            np.append(np.arange(start, end, HOUR), end).astype(np.float64),
            np.append(0.0, np.cumsum(weights)),
            np.array(offsets, dtype=np.int64),
        )

    @property
    def _weight_of_a_day(self) -> float:
        return float(self.cumulated[-1]) * DAY / (self.end - self.start)

    def busy(self, moments: Ints) -> Floats:
        """How many average days' business has been done by these moments since the start."""
        return np.interp(moments, self.edges, self.cumulated) / self._weight_of_a_day

    def moment(self, busy: Floats) -> Ints:
        """When that many days' business has been done: what `busy` answers, turned round."""
        moments = np.interp(busy * self._weight_of_a_day, self.cumulated, self.edges)
        return np.asarray(np.minimum(moments.astype(np.int64), self.end - 1), dtype=np.int64)

    def draw(self, rng: np.random.Generator, after: Ints | int, before: Ints | int, n: int) -> Ints:
        """`n` moments, each between its own two bounds, more of them when the shop is busy."""
        low = np.interp(np.clip(after, self.start, self.end - 1), self.edges, self.cumulated)
        high = np.interp(np.clip(before, self.start, self.end), self.edges, self.cumulated)
        share = low + rng.random(n) * np.maximum(high - low, 0)
        drawn = np.interp(share, self.cumulated, self.edges).astype(np.int64)
        return np.asarray(np.minimum(drawn, self.end - 1), dtype=np.int64)

    def to_local(self, moments: Ints) -> Ints:
        """The shop's wall clock at these moments, as if it were UTC."""
        hour = np.clip((moments - self.start) // HOUR, 0, len(self.utc_offset) - 1)
        return moments + self.utc_offset[hour]

    def in_shop_hours(self, rng: np.random.Generator, moments: Ints) -> Ints:
        """The same days, at a time when the shop's doors are open."""
        midnight = moments // DAY * DAY
        opened = (
            midnight + 9 * HOUR + (rng.beta(1.6, 1.4, len(moments)) * 9 * HOUR).astype(np.int64)
        )
        hour = np.clip((opened - self.start) // HOUR, 0, len(self.utc_offset) - 1)
        closed = np.minimum(opened - self.utc_offset[hour], self.end - 1)
        return np.asarray(closed, dtype=np.int64)
