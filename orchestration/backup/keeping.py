"""Which of many backups stay.

Belongs here: the rule, by the moments at which they were made. Does not belong here: files.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Rule:
    """Of how many of the last hours, days and weeks (ISO's, UTC) that have one a backup stays."""

    hourly: int
    daily: int
    weekly: int


def to_keep(moments: Iterable[datetime], rule: Rule) -> set[datetime]:
    """The newest of each of those hours, days and weeks; one may stand for all three."""
    newest_first = sorted(set(moments), reverse=True)
    periods: tuple[tuple[int, Callable[[datetime], Hashable]], ...] = (
        (rule.hourly, lambda moment: (moment.date(), moment.hour)),
        (rule.daily, lambda moment: moment.date()),
        (rule.weekly, lambda moment: moment.isocalendar()[:2]),
    )
    kept: set[datetime] = set()
    for count, period in periods:
        newest: dict[Hashable, datetime] = {}
        for moment in newest_first:
            newest.setdefault(period(moment), moment)
        kept.update(list(newest.values())[:count])
    return kept
