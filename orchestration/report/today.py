"""Who gets what today and why not, per segment and channel, in counts.

Belongs here: counting wishes, those of the published file or those of this moment. Does not belong
here: deciding (orchestration/activation) or anybody's id.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from ingestion.duckdb import has_table
from orchestration.report.figures import rows

ONSITE = "onsite"
# What wants a person, on which channel, the outcome, and why not or nothing
Wish = tuple[str, str, str, str]


@dataclass(frozen=True)
class Today:
    """What the day gives one segment on one channel.

    `goes`: people who get it; `waits`: people who get it later; `reasons`: why others do not.
    """

    segment: str
    channel: str
    goes: int
    waits: int
    reasons: tuple[tuple[str, int], ...]


def read_today(connection: duckdb.DuckDBPyConnection) -> list[Today]:
    """The latest day's decisions; nothing in a file of an earlier version."""
    if not has_table(connection, "activity", "fct_contact_decisions"):
        return []
    decisions = rows(
        connection,
        """
        select segment, channel, outcome, coalesce(reason, ''), rivals
        from activity.fct_contact_decisions
        where decided_for = (select max(decided_for) from activity.fct_contact_decisions)
        order by all
        """,
    )
    wishes = (
        (wish["segment"], wish["channel"], wish["outcome"], wish["reason"] or "")
        for segment, channel, outcome, reason, rivals in decisions
        for wish in (
            {"segment": segment, "channel": channel, "outcome": outcome, "reason": reason},
            *json.loads(rivals),
        )
    )
    return sorted(
        [*count_wishes(wishes), *_onsite(connection)], key=lambda each: (each.segment, each.channel)
    )


def _onsite(connection: duckdb.DuckDBPyConnection) -> list[Today]:
    """What the site may show, which is no contact of the day."""
    if not has_table(connection, "activity", "rpt_onsite_contacts"):
        return []
    counts = rows(
        connection,
        """
        select segment, outcome, coalesce(reason, ''), people from activity.rpt_onsite_contacts
        order by all
        """,
    )
    return _by_segment(
        {(segment, ONSITE, outcome, reason): people for segment, outcome, reason, people in counts}
    )


def count_wishes(wishes: Iterable[Wish]) -> list[Today]:
    """What these come to, by segment and channel."""
    return _by_segment(Counter(wishes))


def _by_segment(people: Mapping[Wish, int]) -> list[Today]:
    outcomes: Counter[tuple[str, str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (segment, channel, outcome, reason), count in people.items():
        outcomes[segment, channel, outcome] += count
        if reason:
            reasons[segment, channel][reason] += count
    return [
        Today(
            *pair,
            outcomes[*pair, "chosen"],
            outcomes[*pair, "deferred"],
            tuple(sorted(reasons[pair].items(), key=lambda item: (-item[1], item[0]))),
        )
        for pair in sorted({(segment, channel) for segment, channel, _ in outcomes})
    ]
