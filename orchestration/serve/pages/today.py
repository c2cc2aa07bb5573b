"""Today: who gets what and why, what waits for a yes, what is new, what went wrong.

Belongs here: the first page. Does not belong here: deciding (orchestration/activation).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestration.report.complaints import read_complaints
from orchestration.report.health import read_degraded
from orchestration.report.ledger import read_deliveries, read_untold
from orchestration.serve.pages.page import Asked, Page, View
from orchestration.serve.pages.queries import Row
from orchestration.serve.pages.waiting import what_waits


@dataclass
class Wanted:
    """What the day gives one segment on one channel: people by outcome, and why others do not."""

    segment: str
    channel: str
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def goes(self) -> int:
        """People who get it today."""
        return self.outcomes["chosen"]

    @property
    def waits(self) -> int:
        """People who get it later."""
        return self.outcomes["deferred"]


def read(asked: Asked) -> Mapping[str, object]:
    """Everything of the page."""
    as_of = asked.build.as_of
    deliveries = read_deliveries(asked.home, asked.connection)
    untold = read_untold(asked.home, asked.connection)
    quarantine = asked.rows("health_quarantine")
    return {
        "wanted": together(asked.rows("today")),
        "segments": {row["segment"]: row for row in asked.rows("segments", as_of=as_of)},
        "changes": asked.row("today_changes", as_of=as_of),
        "waiting": [each for each in deliveries if each.waiting],
        "waits": what_waits(asked, deliveries, untold, quarantine),
        "untold": untold,
        "degraded": read_degraded(asked.home, as_of),
        "complaints": read_complaints(asked.connection),
    }


def together(rows: Sequence[Row]) -> list[Wanted]:
    """The rows of `today` by segment and channel, what goes out first."""
    wanted: dict[tuple[str, str], Wanted] = {}
    for row in rows:
        pair = (row["segment"], row["channel"])
        each = wanted.setdefault(pair, Wanted(*pair))
        each.outcomes[row["outcome"]] += row["people"]
        if row["reason"]:
            each.reasons[row["reason"]] += row["people"]
    return sorted(wanted.values(), key=lambda each: (-each.goes, each.segment, each.channel))


PAGE = Page("Today", "/", (View("/", "today_page.html.j2", read),))
