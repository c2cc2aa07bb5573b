"""How many people may be contacted, before and after an import, where it changed by much.

Belongs here: comparing a candidate with the published file, as sentences. Does not belong here:
stopping a run for it; a change too large to be true is the breaker's.
"""

from __future__ import annotations

from orchestration.home.layout import Home
from orchestration.published.candidate import Candidate
from orchestration.quality.measures import both_open

TOLD_FROM = 0.05  # the share of change above which it is told

_COUNTS = """
    select channel, purpose, count(*) filter (where is_old), count(*) filter (where not is_old)
    from (
        select channel, purpose, true as is_old from old.marts.contactability where is_contactable
        union all
        select channel, purpose, false from new.marts.contactability where is_contactable
    )
    group by channel, purpose
    order by channel, purpose
"""


def contactable_changes(home: Home, candidate: Candidate) -> list[str]:
    """One sentence per channel and purpose whose people changed by more than a twentieth.

    Nothing before the first publication, which has nothing to compare with.
    """
    if not home.published.exists():
        return []
    with both_open(home.published, candidate.path) as connection:
        counts = connection.execute(_COUNTS).fetchall()
    return [
        f"Contactable by {channel} for {purpose}: {before:,} people before, {after:,} after"
        f"{_share(before, after)}."
        for channel, purpose, before, after in counts
        if abs(after - before) > TOLD_FROM * before
    ]


def _share(before: int, after: int) -> str:
    return f" ({(after - before) / before:+.0%})" if before else ""
