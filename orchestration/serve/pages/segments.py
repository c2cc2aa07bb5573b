"""Segments: all of them in one list, and one with its size over time, reach, funnel and members.

Belongs here: the two views. Does not belong here: what makes somebody a member (dbt_project).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ingestion.duckdb import name
from orchestration.activation.people import targets_in
from orchestration.serve.pages.page import ROWS, Asked, MissingError, Page, View


def read_all(asked: Asked) -> Mapping[str, object]:
    """Every segment with its size, money, reach and movement."""
    return {"segments": asked.rows("segments", as_of=asked.build.as_of)}


def read_one(asked: Asked) -> Mapping[str, object]:
    """One segment.

    Raises:
        MissingError: there is no segment of that name.
    """
    segment = asked.row("segment", segment=asked.parameters["segment"])
    if not segment:
        raise MissingError("There is no segment of that name in this build.", "/segments has all.")
    named = segment["segment"]
    part = asked.part(segment["people"])
    reach: dict[str, int] = {}
    reasons: Counter[str] = Counter()
    for row in asked.rows("segment_reach", segment=named, purpose=segment["purpose"]):
        reach[row["channel"]] = reach.get(row["channel"], 0)
        if row["is_contactable"]:
            reach[row["channel"]] += row["people"]
        elif row["channel"] == segment["channel"]:
            reasons[row["reason"]] += row["people"]
    targets = targets_in(asked.connection, asked.settings)
    return {
        "segment": segment,
        "targets": [target for target in targets if target.segment == named],
        "history": asked.rows("segment_history", segment=named, as_of=asked.build.as_of),
        "reach": reach,
        "reasons": reasons.most_common(),
        "funnel": asked.rows("segment_funnel", segment=named),
        "overlap": asked.rows("segment_overlap", segment=named),
        "members": asked.rows(
            "segment_members",
            table=f"segments.{name('seg_' + named)}",
            limit=ROWS,
            offset=part.offset,
        ),
        "part": part,
    }


PAGE = Page(
    "Segments",
    "/segments",
    (
        View("/segments", "segments_page.html.j2", read_all),
        View("/segments/{segment}", "segment.html.j2", read_one),
    ),
)
