"""Who gets what today and why not, per segment and channel, in counts.

Belongs here: counting the day's decisions of the published file. Does not belong here: deciding
(orchestration/activation) or anybody's id.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass

import duckdb

from ingestion.duckdb import has_table
from orchestration.report.figures import rows


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
    outcomes: Counter[tuple[str, str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for segment, channel, outcome, reason, rivals in decisions:
        own = {"segment": segment, "channel": channel, "outcome": outcome, "reason": reason}
        for wish in (own, *json.loads(rivals)):
            pair = (wish["segment"], wish["channel"])
            outcomes[*pair, wish["outcome"]] += 1
            if wish["reason"]:
                reasons[pair][wish["reason"]] += 1
    return [
        Today(
            *pair,
            outcomes[*pair, "chosen"],
            outcomes[*pair, "deferred"],
            tuple(sorted(reasons[pair].items(), key=lambda item: (-item[1], item[0]))),
        )
        for pair in sorted({(segment, channel) for segment, channel, _ in outcomes})
    ]
