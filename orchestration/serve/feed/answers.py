"""What a visitor is answered, from what the file has of them and what they refused.

Belongs here: the shape of an answer, and which of what is known goes into it; pure. Does not belong
here: the file, permission, HTTP.

Everybody gets the same shape, so that no answer says whether an id is known. Whoever refused
personalisation gets the opt-out state and nothing else; so does an id that two people have, since
nobody knows which of them asks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestration.activation.shown_refusals import PERSONALISATION, SHOWN
from orchestration.destinations.feed_file import Entry, VisitorRecord
from orchestration.destinations.onsite import Content
from orchestration.segments.declared_content import DeclaredContent

BY_SIGNAL = ("ads", "sell_share")  # what Global Privacy Control refuses
_HOUR = 3_600_000_000


@dataclass(frozen=True)
class Showing:
    """What a feed shows, the first that counts before the others, and how old a segment may be."""

    content: Sequence[Content | DeclaredContent] = ()
    max_age_hours: int = 72


def answer(
    record: VisitorRecord, refused: Collection[str], showing: Showing, now_us: int
) -> dict[str, Any]:
    """The answer for one identifier.

    Args:
        record: what the file has of it.
        refused: purposes that are refused beside those of the file.
        showing: what the settings and the segments' own files say.
        now_us: the moment, in microseconds.
    """
    opt_out = record.refused | set(refused)
    entries = (
        ()
        if PERSONALISATION in opt_out
        else _fresh_entries(record, now_us - showing.max_age_hours * _HOUR)
    )
    latest = max(entries, key=lambda entry: (entry.written_us, entry.segment), default=None)
    segments = sorted({entry.segment for entry in entries})
    landing_page, slots = _shown(showing.content, segments)
    return {
        "stage": latest.stage if latest else None,
        "segments": segments,
        "slots": slots,
        "landing_page": landing_page,
        "recommendations": json.loads((latest and latest.recommendations) or "[]"),
        "device_type": latest.device_type if latest else None,
        "opt_out": {policy.purpose: policy.purpose in opt_out for policy in SHOWN},
        "refreshed_at": _as_text(max(record.refreshed.values(), default=None)),
    }


def _fresh_entries(record: VisitorRecord, oldest_us: int) -> Sequence[Entry]:
    """The entries of segments that are fresh, unless they are of several people."""
    if len({entry.customer_id for entry in record.entries}) > 1:
        return ()
    return [each for each in record.entries if record.refreshed.get(each.segment, -1) >= oldest_us]


def _shown(
    content: Sequence[Content | DeclaredContent], segments: Collection[str]
) -> tuple[str | None, dict[str, str]]:
    """The landing page and what each slot shows: the first that is said counts."""
    landing_page, slots = None, dict[str, str]()
    for each in content:
        if each.segment in segments:
            landing_page = landing_page or each.landing_page
            slots = {**each.slots, **slots}
    return landing_page, dict(sorted(slots.items()))


def _as_text(moment_us: int | None) -> str | None:
    if moment_us is None:
        return None
    moment = datetime.fromtimestamp(moment_us // 1_000_000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


NOBODY = answer(VisitorRecord((), frozenset(), {}), (), Showing(), 0)
