"""Freshness: which sources have fallen silent, as of the run.

Belongs here: the rule by which silence is too long. Does not belong here: when events happened
(the model ops.source_freshness) or how a check is shown.
"""

from __future__ import annotations

from orchestration.home.layout import Home
from orchestration.published.reader import open_published

# A quiet day is no fault: ten of a source's own usual gaps, and never less than three days.
MIN_DAYS = 3
USUAL_GAPS = 10
QUERY = """
select source || ' ' || what as name,
       hours_since_last_event / 24.0 as silent_days,
       date_diff('hour', first_event_at, last_event_at) / 24.0 / greatest(row_count - 1, 1) as gap
from ops.source_freshness where row_count > 1 order by all
"""


def silent_sources(home: Home) -> dict[str, int]:
    """Sources without an event for longer than ten of their usual gaps and three days; in days."""
    with open_published(home) as published:
        rows = published.execute(QUERY).fetchall()
    return {
        str(name): int(days)
        for name, days, gap in rows
        if days is not None and days > max(MIN_DAYS, USUAL_GAPS * gap)
    }
